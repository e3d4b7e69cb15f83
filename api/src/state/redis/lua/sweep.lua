-- PURPOSE  does what is due on a site: unconfirmed matches, dead nodes, lost sessions, due steps, old meetings
-- MODE     leased
-- KEYS     sweeper sessions tokens placed nodes away waits index due conversations pendingMatches recent meetings blocks parties over
-- ARGV     node sweepLeaseMs graceMs reportMs rules max freshIds blockMs
-- RETURNS  swept isMore | held
-- COST     O(max · log n), at most max · scanMax candidates examined

local at, max = now(), tonumber(A.max)
local rules = cjson.decode(A.rules)
local is_more = false

-- Returns the due members of a set sorted by due time: as many as one sweep may handle.
local function due_of(key, by)
  local due = redis.call('ZRANGEBYSCORE', key, '-inf', by, 'LIMIT', 0, max)
  if #due == max then is_more = true end
  return due
end

-- Before any match: nobody is matched with a session of a dead node.
for _, node in ipairs(due_of(K.nodes, at)) do
  local members = redis.call('ZRANGEBYLEX', K.placed, '[' .. node .. '\0', '(' .. node .. '\1', 'LIMIT', 0, max)
  for _, member in ipairs(members) do
    local sid = string.sub(member, #node + 2)
    local session = whole(sid, read_session(sid), at)
    if session and session.awaySince == 0 and session.nodeId == node then suspend(sid, session, at) end
    redis.call('ZREM', K.placed, member)
  end
  if #members < max then redis.call('ZREM', K.nodes, node) else is_more = true end
end

for _, cid in ipairs(due_of(K.pendingMatches, at)) do lapse(cid, rules, at) end

for _, sid in ipairs(due_of(K.away, at - tonumber(A.graceMs))) do
  local session = whole(sid, read_session(sid), at)
  if session and session.awaySince > 0 then forget(sid, session, 'peer_lost', at) else redis.call('ZREM', K.away, sid) end
end

local due = {}
for _, sid in ipairs(due_of(K.due, at)) do
  local wait = read_wait(sid)
  if wait then due[#due + 1] = { since = wait.since, seq = wait.seq, sid = sid } else redis.call('ZREM', K.due, sid) end
end
table.sort(due, is_senior)
for _, entry in ipairs(due) do
  -- Read again: an earlier match of this round may have included them.
  local wait = read_wait(entry.sid)
  if wait and is_in_queue(entry.sid, wait) then
    write_due(entry.sid, wait, next_due_at(rules.expansions, wait.since, at))
    meet(entry.sid, wait, rules, at)
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
