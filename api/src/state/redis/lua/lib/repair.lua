-- Puts right what a loss of keys, fields or members left at odds: an entry that leads to nothing is dropped, and
-- what a record says of itself is listed again where it is missing. Nothing changes where nothing was lost.
-- Each function looks at one entry; a repeated walk over all of them is kept in the site's counters.

-- How much this script put right.
local repairs = 0

-- Counts what a command added or took away that should have been so before.
local function put_right(changed)
  repairs = repairs + changed
end

-- The next part of a hash, as field after field; the walk goes round without an end.
local function next_fields(key, name)
  local cursor = redis.call('HGET', K.counters, 'walk:' .. name) or '0'
  local reply = redis.call('HSCAN', key, cursor, 'COUNT', A.max)
  redis.call('HSET', K.counters, 'walk:' .. name, reply[1])
  local fields = {}
  for position = 1, #reply[2], 2 do fields[#fields + 1] = reply[2][position] end
  return fields
end

-- The next part of a set that is ordered lexically.
local function next_members(key, name)
  local last = redis.call('HGET', K.counters, 'walk:' .. name)
  local members = redis.call('ZRANGEBYLEX', key, last and '(' .. last or '-', '+', 'LIMIT', 0, A.max)
  if #members == tonumber(A.max) then
    redis.call('HSET', K.counters, 'walk:' .. name, members[#members])
  else
    redis.call('HDEL', K.counters, 'walk:' .. name)
  end
  return members
end

local function repair_session(sid, at)
  local session = whole(sid, read(K.sessions, sid), at)
  if not session then
    put_right(redis.call('HDEL', K.sessions, sid))
    return
  end
  put_right(redis.call('HSETNX', K.tokens, session.t, sid))
  if session.p ~= '' then put_right(redis.call('HSETNX', K.tokens, session.p, sid)) end
  if session.a > 0 then
    put_right(redis.call('ZADD', K.away, session.a, sid))
    return
  end
  put_right(redis.call('ZADD', K.placed, 0, placement(sid, session)))
  -- A node that lives says so itself; one that does not is found dead when this lease is over.
  put_right(redis.call('ZADD', K.nodes, 'NX', at + tonumber(A.nodeLeaseMs), session.n))
end

local function repair_token(token)
  -- A scan may tell of one field twice.
  local sid = redis.call('HGET', K.tokens, token)
  local session = sid and read(K.sessions, sid)
  if not session or (session.t ~= token and session.p ~= token) then put_right(redis.call('HDEL', K.tokens, token)) end
end

local function repair_wait(sid, at)
  local wait = read_wait(sid)
  if not wait then
    put_right(redis.call('HDEL', K.waits, sid))
  elseif is_in_line(sid, wait) then
    local added = list_tags(sid, wait)
    put_right(added)
    -- Who could not be found may have missed somebody.
    if added > 0 then write_due(sid, wait, at) end
    if wait.d then put_right(redis.call('ZADD', K.due, 'NX', wait.d, sid)) end
  end
end

local function repair_conversation(cid, at)
  local conversation = read(K.conversations, cid)
  if not conversation then
    put_right(redis.call('HDEL', K.conversations, cid))
    return
  end
  local is_whole = false
  for _, sid in ipairs({ conversation.a, conversation.b }) do
    local session = read(K.sessions, sid)
    if session and session.c == cid and seated(sid, session) then is_whole = true end
  end
  if not is_whole then
    finish(cid, conversation, nil, 'service_reset', 'service_reset', at)
    put_right(1)
  elseif conversation.d > 0 then
    put_right(redis.call('ZADD', K.claims, 'NX', conversation.d, cid))
  end
end

local function repair_party(cid, at)
  local party = read(K.parties, cid)
  if not party then
    put_right(redis.call('HDEL', K.parties, cid))
    return
  end
  if party.e == 0 and redis.call('HEXISTS', K.conversations, cid) == 0 then
    party.e = at
    write(K.parties, cid, party)
  end
  if party.e > 0 then put_right(redis.call('ZADD', K.over, 'NX', party.e, cid)) end
end

local function repair_placement(member)
  local sid = string.match(member, '%z(.+)$')
  local session = sid and read(K.sessions, sid)
  if not session or session.a > 0 or placement(sid, session) ~= member then put_right(redis.call('ZREM', K.placed, member)) end
end

local function repair_index(member)
  local stamp, sid = string.match(member, '%z(' .. string.rep('%d', STAMP_LENGTH) .. ')(.+)$')
  local wait = sid and read_wait(sid)
  if not wait or stamp_of(wait) ~= stamp then put_right(redis.call('ZREM', K.index, member)) end
end
