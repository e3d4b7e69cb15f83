-- PURPOSE  ends a wait, or reports that a match came first
-- MODE     write
-- KEYS     sessions waits index due conversations pendingMatches meetings parties over
-- ARGV     session fence
-- RETURNS  cancelled status | refused code
-- COST     O(log n)

local session = whole(A.session, current_session(), now())
if not session then return refused('session_gone') end
if session.conversationId ~= '' then return { 'cancelled', 'already_matched' } end
stop_waiting(A.session)
return { 'cancelled', 'cancelled' }
