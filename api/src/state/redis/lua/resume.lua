-- PURPOSE  moves the session of a token to a node, with a new token and fence
-- MODE     write
-- KEYS     sessions tokens placed nodes away waits index due conversations claims recent meetings blocks parties over
-- ARGV     presented token node fingerprint nodeLeaseMs graceMs rules freshIds blockMs
-- RETURNS  unknown | resumed session fence previousNode state seatedAt rules ageBand
-- COST     O(log n), at most scanMax candidates examined if it waits

local at = now()
local sid = redis.call('HGET', K.tokens, A.presented)
local session = sid and whole(sid, read(K.sessions, sid), at)
if not session then return { 'unknown' } end
if session.a > 0 and at - session.a >= tonumber(A.graceMs) then return { 'unknown' } end

local previous = session.n
-- The presented one stays valid until the new one has arrived.
redis.call('HDEL', K.tokens, A.presented == session.t and session.p or session.t)
redis.call('HSET', K.tokens, A.token, sid)
redis.call('ZREM', K.placed, placement(sid, session))
redis.call('ZREM', K.away, sid)
session.t, session.p = A.token, A.presented
session.f, session.n, session.a = session.f + 1, A.node, 0
session.k = A.fingerprint
local party = session.c ~= '' and read(K.parties, session.c)
if party then
  if party.a == sid then party.la = A.fingerprint else party.lb = A.fingerprint end
  write(K.parties, session.c, party)
end
write(K.sessions, sid, session)
redis.call('ZADD', K.placed, 0, placement(sid, session))
redis.call('ZADD', K.nodes, 'GT', at + tonumber(A.nodeLeaseMs), A.node)
tell_presence(sid, session)

local wait = read_wait(sid)
if wait then
  wait.n, wait.r = A.node, revision
  wait_in_line(sid, wait, cjson.decode(A.rules), at)
  session = read(K.sessions, sid)
end

local state, seated_at = { 'idle' }, 0
if session.c ~= '' then
  local conversation, peer_id, peer = seated(sid, session)
  seated_at = conversation.r or 0
  state = { 'chatting', peer.a == 0 and 'here' or 'away' }
  for _, part in ipairs(seat(session.c, conversation, sid, { [peer_id] = peer })) do state[#state + 1] = part end
elseif wait then
  state = { 'waiting', at - wait.s }
end
return { 'resumed', sid, session.f, previous, state, seated_at, session.ra, session.rb }
