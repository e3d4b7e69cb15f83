-- PURPOSE  creates a session, held by a node
-- MODE     write
-- KEYS     sessions tokens placed nodes
-- ARGV     session node token fingerprint nodeLeaseMs
-- RETURNS  opened
-- COST     O(log n) in the site's sessions

local session = {
  nodeId = A.node,
  fence = 1,
  token = A.token,
  formerToken = '',
  fingerprint = A.fingerprint,
  agreedRules = '',
  agreedAgeBand = '',
  awaySince = 0,
  conversationId = '',
  matchedBy = '',
  lastConversationId = '',
  lastPeerId = '',
  endReason = '',
}
write_session(A.session, session)
redis.call('HSET', K.tokens, A.token, A.session)
redis.call('ZADD', K.placed, 0, A.node .. '\0' .. A.session)
redis.call('ZADD', K.nodes, 'GT', now() + tonumber(A.nodeLeaseMs), A.node)
return { 'opened' }
