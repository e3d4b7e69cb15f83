-- PURPOSE  voids the previous token, once the visitor has the present one
-- MODE     write
-- KEYS     sessions tokens
-- ARGV     session fence
-- RETURNS  done
-- COST     O(1)

local session = current_session()
if session then
  redis.call('HDEL', K.tokens, session.formerToken)
  session.formerToken = ''
  write_session(A.session, session)
end
return { 'done' }
