-- PURPOSE  deletes a session and ends its wait or conversation
-- MODE     write
-- KEYS     sessions tokens placed away waits index due conversations pendingMatches meetings parties over
-- ARGV     session fence
-- RETURNS  done
-- COST     O(log n)

local at = now()
local session = whole(A.session, current_session(), at)
if session then forget(A.session, session, 'peer_left', at) end
return { 'done' }
