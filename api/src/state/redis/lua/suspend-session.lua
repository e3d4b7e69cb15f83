-- PURPOSE  the connection is gone: the session keeps place and conversation for the grace period
-- MODE     write
-- KEYS     sessions placed away waits index due conversations
-- ARGV     session fence
-- RETURNS  done
-- COST     O(log n)

local session = current_session()
if session and session.a == 0 then suspend(A.session, session, now()) end
return { 'done' }
