-- PURPOSE  moves the session of a token to a node, with a new token and fence
-- MODE     write
-- KEYS     sessions tokens placed nodes away waits index due conversations pendingMatches recent meetings blocks parties over
-- ARGV     presented token node fingerprint nodeLeaseMs graceMs rules freshIds blockMs
-- RETURNS  unknown | resumed session fence previousNode state seatedAt rules ageBand
-- COST     O(log n), at most scanMax candidates examined if it waits

local at = now()
local sid = redis.call('HGET', K.tokens, A.presented)
local session = sid and whole(sid, read_session(sid), at)
if not session then return { 'unknown' } end
if session.awaySince > 0 and at - session.awaySince >= tonumber(A.graceMs) then return { 'unknown' } end

local previous = session.nodeId
-- The presented one stays valid until the new one has arrived.
redis.call('HDEL', K.tokens, A.presented == session.token and session.formerToken or session.token)
redis.call('HSET', K.tokens, A.token, sid)
redis.call('ZREM', K.placed, placement(sid, session))
redis.call('ZREM', K.away, sid)
session.token, session.formerToken = A.token, A.presented
session.fence, session.nodeId, session.awaySince = session.fence + 1, A.node, 0
session.fingerprint = A.fingerprint
local party = session.conversationId ~= '' and read_party(session.conversationId)
if party then
  if party.firstId == sid then party.firstLatestFingerprint = A.fingerprint else party.secondLatestFingerprint = A.fingerprint end
  write_party(session.conversationId, party)
end
write_session(sid, session)
redis.call('ZADD', K.placed, 0, placement(sid, session))
redis.call('ZADD', K.nodes, 'GT', at + tonumber(A.nodeLeaseMs), A.node)
tell_presence(sid, session)

local wait = read_wait(sid)
if wait then
  wait.nodeId, wait.revision = A.node, revision
  wait_in_queue(sid, wait, cjson.decode(A.rules), at)
  session = read_session(sid)
end

local state, seated_at = { 'idle' }, 0
if session.conversationId ~= '' then
  local conversation, peer_id, peer = seated(sid, session)
  seated_at = conversation.revision or 0
  state = { 'chatting', peer.awaySince == 0 and 'here' or 'away' }
  for _, part in ipairs(seat(session.conversationId, conversation, sid, { [peer_id] = peer })) do state[#state + 1] = part end
elseif wait then
  state = { 'waiting', at - wait.since }
end
return { 'resumed', sid, session.fence, previous, state, seated_at, session.agreedRules, session.agreedAgeBand }
