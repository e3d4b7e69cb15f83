-- PURPOSE  ends a conversation if it still runs, and with a ticket waits again in the same step
-- MODE     write
-- KEYS     sessions nodes waits index due conversations pendingMatches recent meetings blocks parties over
-- ARGV     session fence conversation ticket rules freshIds blockMs
-- RETURNS  left next | refused code
-- COST     O(log n), at most scanMax candidates examined with a ticket

local at = now()
local session = whole(A.session, current_session(), at)
if not session then return refused('session_gone') end
if session.conversationId == A.conversation then
  finish(session.conversationId, read_conversation(session.conversationId), A.session, 'you_left', 'peer_left', at)
  session = read_session(A.session)
end
if A.ticket == '' then return { 'left', '' } end
local status = find(A.session, session, cjson.decode(A.ticket), cjson.decode(A.rules), at)
if not status then return refused('already_in_conversation') end
return { 'left', status }
