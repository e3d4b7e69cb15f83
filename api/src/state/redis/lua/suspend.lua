-- PURPOSE  marks a session as disconnected: it keeps place and conversation for the grace period
-- MODE     write
-- KEYS     sessions placed away waits index due conversations pendingMatches meetings parties over
-- ARGV     session fence
-- RETURNS  done
-- COST     O(log n)

local at = now()
local session = whole(A.session, current_session(), at)
if session and session.awaySince == 0 then suspend(A.session, session, at) end
return { 'done' }
