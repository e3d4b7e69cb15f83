-- PURPOSE  confirms a match for one visitor; confirmed by both, it is final
-- MODE     write
-- KEYS     sessions conversations pendingMatches parties
-- ARGV     session fence conversation
-- RETURNS  done | refused code
-- COST     O(log n)

local session = current_session()
if not session then return refused('session_gone') end
local conversation = session.conversationId == A.conversation and read_conversation(A.conversation)
if not conversation or conversation.lapsesAt == 0 then return { 'done' } end
if conversation.firstId == A.session then conversation.hasFirstConfirmed = true else conversation.hasSecondConfirmed = true end
if conversation.hasFirstConfirmed and conversation.hasSecondConfirmed then
  conversation.lapsesAt, conversation.firstWait, conversation.secondWait = 0, nil, nil
  redis.call('ZREM', K.pendingMatches, A.conversation)
  local party = read_party(A.conversation)
  if party then
    party.isConfirmed = true
    write_party(A.conversation, party)
  end
end
write_conversation(A.conversation, conversation)
return { 'done' }
