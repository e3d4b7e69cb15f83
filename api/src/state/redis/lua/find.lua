-- PURPOSE  starts a wait, or matches at once
-- MODE     write
-- KEYS     sessions nodes waits index due conversations pendingMatches recent meetings blocks parties over
-- ARGV     session fence ticket rules freshIds blockMs
-- RETURNS  found status | refused code
-- COST     O(log n), at most scanMax candidates examined

local session = whole(A.session, current_session(), now())
if not session then return refused('session_gone') end
local status = find(A.session, session, cjson.decode(A.ticket), cjson.decode(A.rules), now())
if not status then return refused('already_in_conversation') end
return { 'found', status }
