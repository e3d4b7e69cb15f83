-- PURPOSE  keeps two visitors from meeting again; ends their conversation if it still runs
-- MODE     write
-- KEYS     sessions conversations claims meetings blocks parties over
-- ARGV     session fence conversation
-- RETURNS  done | refused code
-- COST     O(log n)

local at = now()
local session = whole(A.session, current_session(), at)
if not session then return refused('session_gone') end
if session.lc ~= A.conversation then return refused('not_in_conversation') end
redis.call('ZADD', K.blocks, at, pair_key(A.session, session.lp))
if session.c == A.conversation then
  finish(session.c, read(K.conversations, session.c), A.session, 'you_left', 'peer_left', at)
end
return { 'done' }
