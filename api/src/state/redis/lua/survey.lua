-- PURPOSE  status of a wait
-- MODE     read
-- KEYS     sessions waits index recent
-- ARGV     session fence networksMax waitersMax
-- RETURNS  none | surveyed waitedMs recentWaits networks otherLanguageNetworks | refused code
-- COST     O(t · log n) in the ticket's tags, at most waitersMax waiters looked at

local session = current_session()
if not session then return refused('session_gone') end
local wait = read_wait(A.session)
if not wait then return { 'none' } end

local function indexed(tag)
  return (wait.ticket.ageBand or '') .. '|' .. tag
end

local function count(tag)
  local name = indexed(tag)
  return redis.call('ZLEXCOUNT', K.index, '[' .. name .. '\0', '(' .. name .. '\1')
end

-- The widest network of a fingerprint, as networkOf in domain/visitor-fingerprint.ts; one of the previous version has
-- no wider ones.
local function network_of(fingerprint_text)
  local fingerprint = cjson.decode(fingerprint_text)
  return fingerprint.wider and fingerprint.wider[#fingerprint.wider] or fingerprint.address
end

-- Counts different networks at the head of the queue, except the asker's own: all of them, and those without a shared
-- language. Once there are enough, the queue is read further only if somebody in it may speak another language.
local function networks_around(may_be_foreign)
  local all, others, all_count, other_count = {}, {}, 0, 0
  local own, most, name = network_of(session.fingerprint), tonumber(A.networksMax), indexed('q')
  local members = redis.call('ZRANGEBYLEX', K.index, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, A.waitersMax)
  for _, member in ipairs(members) do
    if other_count == most or (not may_be_foreign and all_count == most) then break end
    local id = string.sub(member, #name + 2 + STAMP_LENGTH)
    local waiter, waiting = read_session(id), read_wait(id)
    local network = waiter and waiting and network_of(waiter.fingerprint)
    if network and network ~= own then
      if not all[network] then all[network], all_count = true, all_count + 1 end
      if not others[network] and not has_common_or_none(wait.ticket.languages, waiting.ticket.languages) then
        others[network], other_count = true, other_count + 1
      end
    end
  end
  return math.min(all_count, most), other_count
end

local sharing_language = 0
for _, language in ipairs(wait.ticket.languages) do sharing_language = sharing_language + count('l:' .. language) end
local waiting = count('q')
-- The asker is in both counts, in the latter once per language.
local may_be_foreign = #wait.ticket.languages > 0 and waiting - 1 > sharing_language - #wait.ticket.languages
local networks, other_language_networks = networks_around(may_be_foreign)
return {
  'surveyed',
  now() - wait.since,
  redis.call('LRANGE', K.recent, 0, -1),
  networks,
  other_language_networks,
}
