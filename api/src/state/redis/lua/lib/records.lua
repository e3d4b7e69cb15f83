-- Records of a site and the small steps on them. K holds the site's keys by name, A the arguments.
--
-- session       n node · f fence · t resume token · p the one presented for it ('' once t has arrived)
--               a away since (0: connected) · c conversation ('' for none) · k mark, as text
--               ra rules agreed to, rb age band ('' for none)
--               lc, lp last conversation and peer · e why it ended · m request id that led to the conversation
-- wait          s since · q seq · n node · k ticket · g tags it is found by · u lookups it looks in
-- conversation  a, b sessions · i shared interests · t same topic · d lapses at (0: confirmed by both)
--               ca, cb confirmed · wa, wb their waits, to give back
-- party         a, b sessions · ka, kb their marks when they met, as text · la, lb when last seen · e ended at (0: runs)
--               y confirmed by both (absent: not)

local notices = {}

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(A.skewMs)
end

local function read(key, field)
  local packed = redis.call('HGET', key, field)
  return packed and cmsgpack.unpack(packed) or nil
end

local function write(key, field, record)
  redis.call('HSET', key, field, cmsgpack.pack(record))
end

local function refused(code)
  return { 'refused', code }
end

local function pair_key(a, b)
  if a < b then return a .. ' ' .. b end
  return b .. ' ' .. a
end

local function placement(sid, session)
  return session.n .. '\0' .. sid
end

-- The session if the caller's fence is the current one, else nil.
local function current_session()
  local session = read(K.sessions, A.session)
  if session and session.f == tonumber(A.fence) then return session end
  return nil
end

local function next_number(name)
  return redis.call('HINCRBY', K.counters, name, 1)
end

local function tell_ended(sid, session, cid, reason)
  notices[#notices + 1] = { 'ended', sid, session.n, cid, reason }
end

local function tell_presence(sid, session)
  if session.c == '' then return end
  local conversation = read(K.conversations, session.c)
  local peer_id = conversation.a == sid and conversation.b or conversation.a
  local peer = read(K.sessions, peer_id)
  local presence = session.a == 0 and 'here' or 'away'
  notices[#notices + 1] = { 'presence', peer_id, peer.n, session.c, presence, sid, session.n }
end
