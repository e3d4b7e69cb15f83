-- Repairs inconsistencies after a loss of keys, fields or members: a dangling entry is deleted, and missing index
-- entries of a record are added again. Nothing changes where nothing was lost. Each function checks one entry; a
-- repeated walk over all of them is kept in the site's counters.

-- Number of repairs by this script, by kind of entry.
local repairs = { sessions = 0, tokens = 0, conversations = 0, parties = 0, placed = 0, index = 0, waits = 0 }

-- Counts what a command had to add or remove.
local function put_right(kind, changed)
  repairs[kind] = repairs[kind] + changed
end

-- Position of the walk, by kind: a cursor, the last member, or for a hash that is returned whole `-` and the number of
-- fields already checked.
local WALKS = { 'sessions', 'tokens', 'conversations', 'parties', 'placed', 'index', 'waits' }
local walk = nil

local function walked_to(kind)
  if not walk then
    walk = {}
    local names = {}
    for position, each in ipairs(WALKS) do names[position] = 'walk:' .. each end
    for position, last in ipairs(redis.call('HMGET', K.counters, unpack(names))) do walk[WALKS[position]] = last or '' end
  end
  return walk[kind]
end

local function write_walk()
  local pairs_of_walk = {}
  for kind, last in pairs(walk) do
    pairs_of_walk[#pairs_of_walk + 1], pairs_of_walk[#pairs_of_walk + 2] = 'walk:' .. kind, last
  end
  redis.call('HSET', K.counters, unpack(pairs_of_walk))
end

-- Returns the next fields of a hash; the walk starts over at the end.
local function next_fields(key, kind)
  local last, max = walked_to(kind), tonumber(A.max)
  local seen = tonumber(string.match(last, '^%-(%d+)$') or 0)
  local from = string.match(last, '^%d+$') or '0'
  local reply = redis.call('HSCAN', key, from, 'COUNT', max)
  local scanned, fields = reply[2], {}
  local count = #scanned / 2
  walk[kind] = reply[1]
  -- HSCAN returns a small hash whole, whatever COUNT is.
  local is_whole = from == '0' and reply[1] == '0' and count > max
  if not is_whole or seen >= count then seen = 0 end
  local upto = is_whole and math.min(count, seen + max) or count
  if is_whole and upto < count then walk[kind] = '-' .. upto end
  for position = seen + 1, upto do fields[#fields + 1] = scanned[2 * position - 1] end
  return fields
end

-- Returns the next members of a sorted set in lexical order.
local function next_members(key, kind)
  local last = walked_to(kind)
  local members = redis.call('ZRANGEBYLEX', key, last ~= '' and '(' .. last or '-', '+', 'LIMIT', 0, A.max)
  walk[kind] = #members == tonumber(A.max) and members[#members] or ''
  return members
end

-- Returns whether the numbers of entries of different kinds are inconsistent: a sign that some were lost.
local function are_counts_at_odds()
  local sessions, tokens = redis.call('HLEN', K.sessions), redis.call('HLEN', K.tokens)
  local placed, away = redis.call('ZCARD', K.placed), redis.call('ZCARD', K.away)
  local conversations, waits = redis.call('HLEN', K.conversations), redis.call('HLEN', K.waits)
  local is_indexed = redis.call('ZCARD', K.index) > 0
  return sessions ~= placed + away
    or tokens < sessions
    or tokens > 2 * sessions
    or (placed > 0 and redis.call('ZCARD', K.nodes) == 0)
    or 2 * conversations > sessions
    or redis.call('ZCARD', K.pendingMatches) > conversations
    or redis.call('HLEN', K.parties) ~= conversations + redis.call('ZCARD', K.over)
    or waits > sessions
    or redis.call('ZCARD', K.due) > waits
    or (is_indexed and waits == 0)
    or (not is_indexed and waits > away)
end

local function repair_session(sid, at)
  local session = whole(sid, read_session(sid), at)
  if not session then
    put_right('sessions', redis.call('HDEL', K.sessions, sid))
    return
  end
  put_right('sessions', redis.call('HSETNX', K.tokens, session.token, sid))
  if session.formerToken ~= '' then put_right('sessions', redis.call('HSETNX', K.tokens, session.formerToken, sid)) end
  if session.awaySince > 0 then
    put_right('sessions', redis.call('ZADD', K.away, session.awaySince, sid))
    return
  end
  put_right('sessions', redis.call('ZADD', K.placed, 0, placement(sid, session)))
  -- A node that is alive renews its lease itself; one that is not counts as dead when this lease expires.
  put_right('sessions', redis.call('ZADD', K.nodes, 'NX', at + tonumber(A.nodeLeaseMs), session.nodeId))
end

local function repair_token(token)
  -- HSCAN may return a field twice.
  local sid = redis.call('HGET', K.tokens, token)
  local session = sid and read_session(sid)
  if not session or (session.token ~= token and session.formerToken ~= token) then put_right('tokens', redis.call('HDEL', K.tokens, token)) end
end

local function repair_wait(sid, at)
  local wait = read_wait(sid)
  if not wait then
    put_right('waits', redis.call('HDEL', K.waits, sid))
  elseif is_in_queue(sid, wait) then
    local added = list_tags(sid, wait)
    put_right('waits', added)
    -- A wait that was not listed may have missed a match.
    if added > 0 then write_due(sid, wait, at) end
    if wait.dueAt then put_right('waits', redis.call('ZADD', K.due, 'NX', wait.dueAt, sid)) end
  end
end

local function repair_conversation(cid, at)
  local conversation = read_conversation(cid)
  if not conversation then
    redis.call('HDEL', K.conversations, cid)
    return
  end
  local is_whole = false
  for _, sid in ipairs({ conversation.firstId, conversation.secondId }) do
    local session = read_session(sid)
    if session and session.conversationId == cid and seated(sid, session) then is_whole = true end
  end
  if not is_whole then
    finish(cid, conversation, nil, 'service_reset', 'service_reset', at)
  elseif conversation.lapsesAt > 0 then
    put_right('conversations', redis.call('ZADD', K.pendingMatches, 'NX', conversation.lapsesAt, cid))
  end
end

local function repair_party(cid, at)
  local party = read_party(cid)
  if not party then
    put_right('parties', redis.call('HDEL', K.parties, cid))
    return
  end
  if party.endedAt == 0 and redis.call('HEXISTS', K.conversations, cid) == 0 then
    party.endedAt = at
    write_party(cid, party)
  end
  if party.endedAt > 0 then put_right('parties', redis.call('ZADD', K.over, 'NX', party.endedAt, cid)) end
end

local function repair_placement(member)
  local sid = string.match(member, '%z(.+)$')
  local session = sid and read_session(sid)
  if not session or session.awaySince > 0 or placement(sid, session) ~= member then put_right('placed', redis.call('ZREM', K.placed, member)) end
end

local function repair_index(member)
  local stamp, sid = string.match(member, '%z(' .. string.rep('%d', STAMP_LENGTH) .. ')(.+)$')
  local wait = sid and read_wait(sid)
  if not wait or stamp_of(wait) ~= stamp then put_right('index', redis.call('ZREM', K.index, member)) end
end
