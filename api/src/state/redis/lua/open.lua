-- PURPOSE  creates a session, held by a node
-- MODE     write
-- KEYS     sessions tokens placed nodes
-- ARGV     session node token fingerprint nodeLeaseMs
-- RETURNS  opened
-- COST     O(log n) in the site's sessions

local session = { n = A.node, f = 1, t = A.token, p = '', a = 0, k = A.fingerprint, ra = '', rb = '', c = '', lc = '', lp = '', e = '', m = '' }
write(K.sessions, A.session, session)
redis.call('HSET', K.tokens, A.token, A.session)
redis.call('ZADD', K.placed, 0, A.node .. '\0' .. A.session)
redis.call('ZADD', K.nodes, 'GT', now() + tonumber(A.nodeLeaseMs), A.node)
return { 'opened' }
