-- Records of a site and basic operations on them. K holds the site's keys by name, A the arguments.
--
-- session       n node · f fence · t resume token · p the one presented for it ('' once t has arrived)
--               a away since (0: connected) · c conversation ('' for none) · k fingerprint, as text
--               ra rules agreed to, rb age band ('' for none)
--               lc, lp last conversation and peer · e why it ended · m request id that led to the conversation
-- wait          s since · q seq · n node · k ticket · g tags it is found by · u lookups it looks in
--               d when its next step is due, as `due` has it too (absent: all are reached)
--               r revision at which the visitor asked for it, or came back to it
-- conversation  a, b sessions · i shared interests · t same topic · d lapses at (0: confirmed by both)
--               ca, cb confirmed · wa, wb their waits, to give back · r revision at which it started
-- party         a, b sessions · ka, kb their fingerprints when they met, as text · la, lb when last seen · e ended at (0: runs)
--               y confirmed by both (absent: not)

local notices = {}
-- Revision of this script's changes; 0 in a script that only reads.
local revision = 0

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(A.skewMs)
end

-- Unpacks a record. An unreadable one counts as missing.
local function unpacked(packed)
  if not packed then return nil end
  local is_read, record = pcall(cmsgpack.unpack, packed)
  return is_read and type(record) == 'table' and record or nil
end

-- Unpacks a wait. One with missing fields counts as missing: it could be neither matched nor taken out of the queue.
local function unpacked_wait(packed)
  local wait = unpacked(packed)
  if not wait or type(wait.s) ~= 'number' or type(wait.q) ~= 'number' then return nil end
  if type(wait.k) ~= 'table' or type(wait.g) ~= 'table' or type(wait.u) ~= 'table' then return nil end
  return wait
end

local function read(key, field)
  return unpacked(redis.call('HGET', key, field))
end

local function read_wait(sid)
  return unpacked_wait(redis.call('HGET', K.waits, sid))
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

-- Returns the session if the caller's fence is the current one, else nil.
local function current_session()
  local session = read(K.sessions, A.session)
  if session and session.f == tonumber(A.fence) then return session end
  return nil
end

-- Raises a counter; one with no number, or one too large for a place in the queue, restarts from 1.
local function next_number(name, by)
  local raised = redis.pcall('HINCRBY', K.counters, name, by or 1)
  if type(raised) == 'number' and raised > 0 and raised < 1e12 then return raised end
  redis.call('HSET', K.counters, name, 1)
  return 1
end

-- Writes the revision, after the transition: one that frees memory begins with a deletion, which Redis permits even
-- when its memory is full, together with all that follows.
local function write_revision()
  redis.call('HSET', K.counters, 'revision', string.format('%.0f', revision))
end

-- Maximum revision: beyond it Lua numbers are not exact. A larger one was not written by this service.
local REVISION_MAX = 9e15

-- Raises the revision, which follows the clock in microseconds: a site that lost changes, or its counters, continues
-- above every revision it told before.
local function raise_revision()
  local last = redis.pcall('HGET', K.counters, 'revision')
  if type(last) == 'table' then
    redis.call('DEL', K.counters)
    last = nil
  end
  local at = now() * 1000
  local known = tonumber(last or 0) or 0
  -- No comparison with NaN is true.
  if not (known >= 0 and known <= REVISION_MAX) then known = 0 end
  revision = math.max(known + 1, at)
end

local function tell_ended(sid, session, cid, reason)
  notices[#notices + 1] = { 'ended', sid, session.n, cid, reason }
end

-- Returns the conversation of a session, the peer's id and the peer. nil unless all of them exist.
local function seated(sid, session)
  local conversation = session.c ~= '' and read(K.conversations, session.c)
  if not conversation then return nil end
  local peer_id = conversation.a == sid and conversation.b or conversation.a
  local peer = read(K.sessions, peer_id)
  if not peer or peer.c ~= session.c then return nil end
  return conversation, peer_id, peer
end

local function tell_presence(sid, session)
  local conversation, peer_id, peer = seated(sid, session)
  if not conversation then return end
  local presence = session.a == 0 and 'here' or 'away'
  notices[#notices + 1] = { 'presence', peer_id, peer.n, session.c, presence, sid, session.n }
end
