-- PURPOSE  stores a visitor's consent; an age band once named stays
-- MODE     write
-- KEYS     sessions
-- ARGV     session fence rules ageBand
-- RETURNS  agreed rules ageBand | refused code
-- COST     O(1)

local session = current_session()
if not session then return refused('session_gone') end
if session.rb ~= '' and A.ageBand ~= '' and session.rb ~= A.ageBand then return refused('age_band_fixed') end
if A.rules ~= '' then session.ra = A.rules end
if A.ageBand ~= '' then session.rb = A.ageBand end
write(K.sessions, A.session, session)
return { 'agreed', session.ra, session.rb }
