-- PURPOSE  ends a conversation for both visitors, by the service
-- MODE     write
-- KEYS     sessions conversations pendingMatches meetings parties over
-- ARGV     conversation reason
-- RETURNS  done
-- COST     O(log n)

local conversation = read_conversation(A.conversation)
if conversation then finish(A.conversation, conversation, nil, A.reason, A.reason, now()) end
return { 'done' }
