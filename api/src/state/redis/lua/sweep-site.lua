-- PURPOSE  does what is due on a site: lapsed claims, dead nodes, lost sessions, due steps, old memories
-- MODE     write
-- KEYS     sweeper sessions tokens placed nodes away waits index due conversations claims recent meetings blocks parties over
-- ARGV     node sweepLeaseMs graceMs reportMs rules max freshIds blockMs
-- RETURNS  swept isMore | held
-- COST     O(max · log n), at most max · scanMax candidates examined

local holder = redis.call('GET', K.sweeper)
if holder and holder ~= A.node then return { 'held' } end
redis.call('SET', K.sweeper, A.node, 'PX', A.sweepLeaseMs)

local at, max = now(), tonumber(A.max)
local rules = cjson.decode(A.rules)
local is_more = false

-- What is due by now of what is sorted by when it is: as much as one sweep may do.
local function due_of(key, by)
  local due = redis.call('ZRANGEBYSCORE', key, '-inf', by, 'LIMIT', 0, max)
  if #due == max then is_more = true end
  return due
end

-- Before anything is matched: nobody meets somebody whose node is dead.
for _, node in ipairs(due_of(K.nodes, at)) do
  local members = redis.call('ZRANGEBYLEX', K.placed, '[' .. node .. '\0', '(' .. node .. '\1', 'LIMIT', 0, max)
  for _, member in ipairs(members) do
    local sid = string.sub(member, #node + 2)
    suspend(sid, read(K.sessions, sid), at)
  end
  if #members < max then redis.call('ZREM', K.nodes, node) else is_more = true end
end

for _, cid in ipairs(due_of(K.claims, at)) do
  local conversation = read(K.conversations, cid)
  local sides = { { conversation.a, conversation.ca, conversation.wa }, { conversation.b, conversation.cb, conversation.wb } }
  local reasons = {}
  for _, side in ipairs(sides) do
    if not side[2] then reasons[side[1]] = 'peer_left' end
  end
  finish(cid, conversation, nil, 'unconfirmed', 'unconfirmed', at, reasons)
  for _, side in ipairs(sides) do
    local sid, is_confirmed, wait = side[1], side[2], side[3]
    if is_confirmed then
      local session = read(K.sessions, sid)
      wait.n = session.n
      if session.a == 0 then wait_in_line(sid, wait, rules, at) else write(K.waits, sid, wait) end
    end
  end
end

for _, sid in ipairs(due_of(K.away, at - tonumber(A.graceMs))) do
  forget(sid, read(K.sessions, sid), 'peer_lost', at)
end

local due = {}
for _, sid in ipairs(due_of(K.due, at)) do
  local wait = read(K.waits, sid)
  due[#due + 1] = { s = wait.s, q = wait.q, sid = sid }
end
table.sort(due, is_senior)
for _, entry in ipairs(due) do
  -- Read again: an earlier one of this round may have met them.
  local wait = read(K.waits, entry.sid)
  if wait then
    local due_at = next_due_at(rules.expansions, wait.s, at)
    if due_at then redis.call('ZADD', K.due, due_at, entry.sid) else redis.call('ZREM', K.due, entry.sid) end
    local peer_id, peer_wait = choose(entry.sid, wait, rules, at)
    if peer_id and not start(peer_id, peer_wait, entry.sid, wait, rules, at) then look_again(entry.sid, at) end
  end
end

for _, memory in ipairs({ { K.blocks, at - tonumber(A.blockMs) }, { K.meetings, at - rules.repeatMs } }) do
  local old = due_of(memory[1], memory[2])
  if #old > 0 then redis.call('ZREM', memory[1], unpack(old)) end
end
local over = due_of(K.over, at - tonumber(A.reportMs))
if #over > 0 then
  redis.call('ZREM', K.over, unpack(over))
  redis.call('HDEL', K.parties, unpack(over))
end
return { 'swept', is_more and 1 or 0 }
