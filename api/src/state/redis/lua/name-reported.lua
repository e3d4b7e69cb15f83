-- PURPOSE  who the peer of a conversation is, or was until not long ago
-- MODE     read
-- KEYS     sessions parties
-- ARGV     session fence conversation reportMs
-- RETURNS  peer mark ownMark | refused code
-- COST     O(1)

local session = current_session()
if not session then return refused('session_gone') end
local party = read(K.parties, A.conversation)
if not party then return refused('not_in_conversation') end
if party.e > 0 and party.e <= now() - tonumber(A.reportMs) then return refused('not_in_conversation') end
if party.a == A.session then return { 'peer', party.lb, party.ka } end
if party.b == A.session then return { 'peer', party.la, party.kb } end
return refused('not_in_conversation')
