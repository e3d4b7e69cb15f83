-- PURPOSE  deletes the keys of a site whose type differs from the registry's
-- MODE     write
-- KEYS     sessions tokens placed nodes away waits index due conversations pendingMatches recent meetings blocks parties over sweeper
-- ARGV
-- RETURNS  done
-- COST     O(1), and O(n) in what such a key holds

-- The counters are checked wherever the revision is raised.
local keys_by_type = {
  hash = { K.sessions, K.tokens, K.waits, K.conversations, K.parties },
  zset = { K.placed, K.nodes, K.away, K.index, K.due, K.pendingMatches, K.meetings, K.blocks, K.over },
  list = { K.recent },
  string = { K.sweeper },
}
for expected, keys in pairs(keys_by_type) do
  for _, key in ipairs(keys) do
    local found = redis.call('TYPE', key).ok
    if found ~= expected and found ~= 'none' then redis.call('DEL', key) end
  end
end
return { 'done' }
