-- PURPOSE  voids the previous token, once the visitor has the present one
-- MODE     write
-- KEYS     sessions tokens
-- ARGV     session fence
-- RETURNS  done
-- COST     O(1)

local session = current_session()
if session then
  redis.call('HDEL', K.tokens, session.p)
  session.p = ''
  write(K.sessions, A.session, session)
end
return { 'done' }
