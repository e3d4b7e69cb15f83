-- PURPOSE  repairs inconsistencies after a loss, a part of each kind of entry per call
-- MODE     leased
-- KEYS     sweeper sessions tokens placed nodes away waits index due conversations pendingMatches meetings parties over
-- ARGV     node sweepLeaseMs nodeLeaseMs max
-- RETURNS  repaired areCountsAtOdds repairs | held
-- COST     O(max · log n), about four commands per entry; of a hash that Redis keeps as a list, all fields are read

local at = now()
-- Before any repair.
local is_at_odds, conversations = are_counts_at_odds(), redis.call('HLEN', K.conversations)
for _, sid in ipairs(next_fields(K.sessions, 'sessions')) do repair_session(sid, at) end
for _, token in ipairs(next_fields(K.tokens, 'tokens')) do repair_token(token) end
for _, cid in ipairs(next_fields(K.conversations, 'conversations')) do repair_conversation(cid, at) end
for _, cid in ipairs(next_fields(K.parties, 'parties')) do repair_party(cid, at) end
for _, member in ipairs(next_members(K.placed, 'placed')) do repair_placement(member) end
-- Dangling entries first, so that no wait is found by an old one.
for _, member in ipairs(next_members(K.index, 'index')) do repair_index(member) end
for _, sid in ipairs(next_fields(K.waits, 'waits')) do repair_wait(sid, at) end
write_walk()
-- Checking a session ends its conversation, if that is no longer complete.
put_right('conversations', conversations - redis.call('HLEN', K.conversations))
local counts = {}
for position, kind in ipairs(WALKS) do counts[position] = repairs[kind] end
return { 'repaired', is_at_odds and 1 or 0, counts }
