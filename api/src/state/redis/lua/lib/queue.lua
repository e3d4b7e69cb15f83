-- Waiting queue of a site: one sorted set in lexical order holds every index, as tag NUL since seq session, so that a
-- tag's oldest waiters are one bounded range and every key of a script is known beforehand.

local STAMP_LENGTH = 25

local function stamp_of(wait)
  return string.format('%013d%012d', wait.since, wait.seq)
end

local function index_member(tag, wait, sid)
  return tag .. '\0' .. stamp_of(wait) .. sid
end

local function dequeue(sid, wait)
  for _, tag in ipairs(wait.tags) do redis.call('ZREM', K.index, index_member(tag, wait, sid)) end
  redis.call('ZREM', K.due, sid)
end

-- Lists a wait under all its tags; returns the number of tags it was missing from.
local function list_tags(sid, wait)
  local added = 0
  for _, tag in ipairs(wait.tags) do added = added + redis.call('ZADD', K.index, 0, index_member(tag, wait, sid)) end
  return added
end

-- Writes a wait with the time at which it is examined again; nil for only when somebody else arrives.
local function write_due(sid, wait, due_at)
  wait.dueAt = due_at
  write_wait(sid, wait)
  if due_at then redis.call('ZADD', K.due, due_at, sid) else redis.call('ZREM', K.due, sid) end
end

local function enqueue(sid, wait, rules, at)
  list_tags(sid, wait)
  write_due(sid, wait, next_due_at(rules.expansions, wait.since, at))
end

local function stop_waiting(sid)
  local wait = read_wait(sid)
  if not wait then return end
  dequeue(sid, wait)
  redis.call('HDEL', K.waits, sid)
end

-- Returns whether a wait may end in a match. The wait of a session that is deleted or in a conversation is deleted, and
-- that of a disconnected session is taken out of the queue, as both are already unless something was lost.
local function is_in_queue(sid, wait)
  local session = read_session(sid)
  if session and session.conversationId == '' and session.awaySince == 0 then return true end
  dequeue(sid, wait)
  if not session or session.conversationId ~= '' then redis.call('HDEL', K.waits, sid) end
  return false
end

-- Returns the candidates to examine, nearest index first; the whole queue comes last and always gets a share. Also
-- returns the member of the index by which each id was found.
local function candidate_ids(sid, wait, rules)
  local found, seen, found_by = {}, { [sid] = true }, {}
  for position, tag in ipairs(wait.lookups) do
    local room = math.min(rules.perTagMax, rules.scanMax - rules.perTagMax - #found)
    if position == #wait.lookups then room = rules.scanMax - #found end
    if room >= 0 then
      local members = redis.call('ZRANGEBYLEX', K.index, '[' .. tag .. '\0', '(' .. tag .. '\1', 'LIMIT', 0, room + 1)
      for _, member in ipairs(members) do
        local id = string.sub(member, #tag + 2 + STAMP_LENGTH)
        if not seen[id] and #found < rules.scanMax then
          seen[id] = true
          found[#found + 1] = id
          found_by[id] = member
        end
      end
    end
  end
  return found, found_by
end

-- Returns the match of a waiter, id and wait, or nil; and whether somebody else may fit, behind index entries that led
-- to nobody or on a node that is not known to be alive. Counts the examined candidates, for the test of the bound.
local function choose_peer(sid, wait, rules, at)
  local ids, found_by = candidate_ids(sid, wait, rules)
  if #ids == 0 then return nil, nil, false end
  next_number('examined', #ids)
  local pairs_with = {}
  for position, id in ipairs(ids) do pairs_with[position] = pair_key(sid, id) end
  local waits = redis.call('HMGET', K.waits, unpack(ids))
  local blocked_at = redis.call('ZMSCORE', K.blocks, unpack(pairs_with))
  local met_at = redis.call('ZMSCORE', K.meetings, unpack(pairs_with))
  local alive, best, best_id, is_unsure = {}, nil, nil, false
  local function drop(id)
    redis.call('ZREM', K.index, found_by[id])
    is_unsure = true
  end
  for position, id in ipairs(ids) do
    local candidate = unpacked_wait(waits[position])
    if not candidate then
      drop(id)
    else
      if alive[candidate.nodeId] == nil then
        alive[candidate.nodeId] = (tonumber(redis.call('ZSCORE', K.nodes, candidate.nodeId) or 0)) > at
      end
      local is_blocked = blocked_at[position] and tonumber(blocked_at[position]) > at - tonumber(A.blockMs)
      if not alive[candidate.nodeId] then
        is_unsure = true
      elseif not is_blocked then
        local is_repeat = (met_at[position] and tonumber(met_at[position]) > at - rules.repeatMs) or false
        local found = judge(wait, candidate, rules, at, is_repeat)
        if found and (best == nil or is_better(found, best)) then
          if is_in_queue(id, candidate) then best, best_id = found, id else drop(id) end
        end
      end
    end
  end
  return best_id, best and best.wait, is_unsure
end
