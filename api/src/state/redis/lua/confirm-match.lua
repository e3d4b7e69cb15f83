-- PURPOSE  one side has the match; once both have, it stands
-- MODE     write
-- KEYS     sessions conversations claims
-- ARGV     session fence conversation
-- RETURNS  done | refused code
-- COST     O(log n)

local session = current_session()
if not session then return refused('session_gone') end
local conversation = session.c == A.conversation and read(K.conversations, A.conversation)
if not conversation or conversation.d == 0 then return { 'done' } end
if conversation.a == A.session then conversation.ca = true else conversation.cb = true end
if conversation.ca and conversation.cb then
  conversation.d, conversation.wa, conversation.wb = 0, nil, nil
  redis.call('ZREM', K.claims, A.conversation)
end
write(K.conversations, A.conversation, conversation)
return { 'done' }
