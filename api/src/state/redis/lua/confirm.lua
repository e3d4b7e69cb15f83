-- PURPOSE  confirms a match for one visitor; confirmed by both, it is final
-- MODE     write
-- KEYS     sessions conversations claims parties
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
  local party = read(K.parties, A.conversation)
  if party then
    party.y = true
    write(K.parties, A.conversation, party)
  end
end
write(K.conversations, A.conversation, conversation)
return { 'done' }
