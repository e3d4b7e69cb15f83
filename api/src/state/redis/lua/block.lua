-- PURPOSE  keeps two visitors from meeting again; ends their conversation if it still runs
-- MODE     write
-- KEYS     sessions conversations pendingMatches meetings blocks parties over
-- ARGV     session fence conversation
-- RETURNS  done | refused code
-- COST     O(log n)

local at = now()
local session = whole(A.session, current_session(), at)
if not session then return refused('session_gone') end
if session.lastConversationId ~= A.conversation then return refused('not_in_conversation') end
redis.call('ZADD', K.blocks, at, pair_key(A.session, session.lastPeerId))
if session.conversationId == A.conversation then
  finish(session.conversationId, read_conversation(session.conversationId), A.session, 'you_left', 'peer_left', at)
end
return { 'done' }
