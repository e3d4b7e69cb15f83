-- PURPOSE  stores a visitor's consent; an age band once named stays
-- MODE     write
-- KEYS     sessions
-- ARGV     session fence rules ageBand
-- RETURNS  agreed rules ageBand | refused code
-- COST     O(1)

local session = current_session()
if not session then return refused('session_gone') end
if session.agreedAgeBand ~= '' and A.ageBand ~= '' and session.agreedAgeBand ~= A.ageBand then return refused('age_band_fixed') end
if A.rules ~= '' then session.agreedRules = A.rules end
if A.ageBand ~= '' then session.agreedAgeBand = A.ageBand end
write_session(A.session, session)
return { 'agreed', session.agreedRules, session.agreedAgeBand }
