-- Records of a site and basic operations on them. K holds the site's keys by name, A the arguments.
-- Their fields are named in stored-fields.lua.

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
  local stored = unpacked(packed)
  local wait = stored and renamed(stored, WAIT_NAMES)
  if not wait or type(wait.since) ~= 'number' or type(wait.seq) ~= 'number' then return nil end
  if type(wait.ticket) ~= 'table' or type(wait.tags) ~= 'table' or type(wait.lookups) ~= 'table' then return nil end
  return wait
end

local function read(key, field, names)
  local stored = unpacked(redis.call('HGET', key, field))
  return stored and renamed(stored, names)
end

local function write(key, field, record, fields)
  redis.call('HSET', key, field, cmsgpack.pack(renamed(record, fields)))
end

local function read_session(sid) return read(K.sessions, sid, SESSION_NAMES) end
local function write_session(sid, session) write(K.sessions, sid, session, SESSION_FIELDS) end

local function read_wait(sid) return unpacked_wait(redis.call('HGET', K.waits, sid)) end
local function write_wait(sid, wait) write(K.waits, sid, wait, WAIT_FIELDS) end

local function read_party(cid) return read(K.parties, cid, PARTY_NAMES) end
local function write_party(cid, party) write(K.parties, cid, party, PARTY_FIELDS) end

local function read_conversation(cid)
  local conversation = read(K.conversations, cid, CONVERSATION_NAMES)
  for _, name in ipairs({ 'firstWait', 'secondWait' }) do
    if conversation and conversation[name] then conversation[name] = renamed(conversation[name], WAIT_NAMES) end
  end
  return conversation
end

local function write_conversation(cid, conversation)
  local stored = renamed(conversation, CONVERSATION_FIELDS)
  for _, field in ipairs({ CONVERSATION_FIELDS.firstWait, CONVERSATION_FIELDS.secondWait }) do
    if stored[field] then stored[field] = renamed(stored[field], WAIT_FIELDS) end
  end
  redis.call('HSET', K.conversations, cid, cmsgpack.pack(stored))
end

local function refused(code)
  return { 'refused', code }
end

local function pair_key(a, b)
  if a < b then return a .. ' ' .. b end
  return b .. ' ' .. a
end

local function placement(sid, session)
  return session.nodeId .. '\0' .. sid
end

-- Returns the session if the caller's fence is the current one, else nil.
local function current_session()
  local session = read_session(A.session)
  if session and session.fence == tonumber(A.fence) then return session end
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
  notices[#notices + 1] = { 'ended', sid, session.nodeId, cid, reason }
end

-- Returns the conversation of a session, the peer's id and the peer. nil unless all of them exist.
local function seated(sid, session)
  local conversation = session.conversationId ~= '' and read_conversation(session.conversationId)
  if not conversation then return nil end
  local peer_id = conversation.firstId == sid and conversation.secondId or conversation.firstId
  local peer = read_session(peer_id)
  if not peer or peer.conversationId ~= session.conversationId then return nil end
  return conversation, peer_id, peer
end

local function tell_presence(sid, session)
  local conversation, peer_id, peer = seated(sid, session)
  if not conversation then return end
  local presence = session.awaySince == 0 and 'here' or 'away'
  notices[#notices + 1] = { 'presence', peer_id, peer.nodeId, session.conversationId, presence, sid, session.nodeId }
end
