-- PURPOSE  peer of a conversation that runs, or ended not long ago
-- MODE     read
-- KEYS     sessions parties
-- ARGV     session fence conversation reportMs
-- RETURNS  peer fingerprint ownFingerprint isConfirmed | refused code
-- COST     O(1)

local session = current_session()
if not session then return refused('session_gone') end
local party = read_party(A.conversation)
if not party then return refused('not_in_conversation') end
if party.endedAt > 0 and party.endedAt <= now() - tonumber(A.reportMs) then return refused('not_in_conversation') end
-- A node of the previous version stores no confirmation.
local is_confirmed = party.isConfirmed and 1 or 0
if party.firstId == A.session then return { 'peer', party.secondLatestFingerprint, party.firstFingerprint, is_confirmed } end
if party.secondId == A.session then return { 'peer', party.firstLatestFingerprint, party.secondFingerprint, is_confirmed } end
return refused('not_in_conversation')
