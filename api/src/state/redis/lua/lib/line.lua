-- The line of a site: one lexically ordered set holds every index, as tag NUL since seq session, so that
-- a tag's oldest waiters are one bounded range and every key of a script is known beforehand.

local STAMP_LENGTH = 25

local function index_member(tag, wait, sid)
  return tag .. '\0' .. string.format('%013d%012d', wait.s, wait.q) .. sid
end

local function out_of_line(sid, wait)
  for _, tag in ipairs(wait.g) do redis.call('ZREM', K.index, index_member(tag, wait, sid)) end
  redis.call('ZREM', K.due, sid)
end

local function into_line(sid, wait, rules, at)
  for _, tag in ipairs(wait.g) do redis.call('ZADD', K.index, 0, index_member(tag, wait, sid)) end
  local due_at = next_due_at(rules.expansions, wait.s, at)
  if due_at then redis.call('ZADD', K.due, due_at, sid) end
end

-- Somebody who fits is there, but this script has no id left for a conversation: the next sweep makes it.
local function look_again(sid, at)
  redis.call('ZADD', K.due, at, sid)
end

local function stop_waiting(sid)
  local wait = read(K.waits, sid)
  if not wait then return end
  out_of_line(sid, wait)
  redis.call('HDEL', K.waits, sid)
end

-- Who may be examined, nearest index first; the whole line comes last and is always given room.
local function candidate_ids(sid, wait, rules)
  local found, seen = {}, { [sid] = true }
  for position, tag in ipairs(wait.u) do
    local room = math.min(rules.perTagMax, rules.scanMax - rules.perTagMax - #found)
    if position == #wait.u then room = rules.scanMax - #found end
    if room >= 0 then
      local members = redis.call('ZRANGEBYLEX', K.index, '[' .. tag .. '\0', '(' .. tag .. '\1', 'LIMIT', 0, room + 1)
      for _, member in ipairs(members) do
        local id = string.sub(member, #tag + 2 + STAMP_LENGTH)
        if not seen[id] and #found < rules.scanMax then
          seen[id] = true
          found[#found + 1] = id
        end
      end
    end
  end
  return found
end

-- Whom the waiter meets: id and wait, or nil. Counts what it examined, for the bound's test.
local function choose(sid, wait, rules, at)
  local ids = candidate_ids(sid, wait, rules)
  if #ids == 0 then return nil end
  redis.call('HINCRBY', K.counters, 'examined', #ids)
  local pairs_with = {}
  for position, id in ipairs(ids) do pairs_with[position] = pair_key(sid, id) end
  local waits = redis.call('HMGET', K.waits, unpack(ids))
  local blocked_at = redis.call('ZMSCORE', K.blocks, unpack(pairs_with))
  local met_at = redis.call('ZMSCORE', K.meetings, unpack(pairs_with))
  local alive, best, best_id = {}, nil, nil
  for position, id in ipairs(ids) do
    local candidate = cmsgpack.unpack(waits[position])
    if alive[candidate.n] == nil then
      alive[candidate.n] = (tonumber(redis.call('ZSCORE', K.nodes, candidate.n) or 0)) > at
    end
    local is_blocked = blocked_at[position] and tonumber(blocked_at[position]) > at - tonumber(A.blockMs)
    if alive[candidate.n] and not is_blocked then
      local is_repeat = (met_at[position] and tonumber(met_at[position]) > at - rules.repeatMs) or false
      local found = judge(wait, candidate, rules, at, is_repeat)
      if found and (best == nil or is_better(found, best)) then
        best, best_id = found, id
      end
    end
  end
  return best_id, best and best.wait
end
