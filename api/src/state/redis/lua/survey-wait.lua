-- PURPOSE  how a wait stands
-- MODE     read
-- KEYS     sessions waits index recent
-- ARGV     session fence
-- RETURNS  none | surveyed waitedMs waiting onTopic inSection sharingLanguage spoken recentWaits | refused code
-- COST     O(t · log n) in the ticket's tags

if not current_session() then return refused('session_gone') end
local wait = read(K.waits, A.session)
if not wait then return { 'none' } end

local function count(tag)
  local name = (wait.k.ageBand or '') .. '|' .. tag
  return redis.call('ZLEXCOUNT', K.index, '[' .. name .. '\0', '(' .. name .. '\1')
end

local sharing_language = 0
for _, language in ipairs(wait.k.languages) do sharing_language = sharing_language + count('l:' .. language) end
return {
  'surveyed',
  now() - wait.s,
  count('q'),
  wait.k.topic and count('t:' .. wait.k.topic) or 0,
  wait.k.section and count('c:' .. wait.k.section) or 0,
  sharing_language,
  #wait.k.languages,
  redis.call('LRANGE', K.recent, 0, -1),
}
