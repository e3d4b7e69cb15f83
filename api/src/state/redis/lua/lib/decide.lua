-- Matching decision on two visitors. The same functions as matching/distance.ts, matching/expansions.ts and
-- matching/choose.ts; a test runs both on the same generated cases.

local function has(list, member)
  for _, other in ipairs(list) do
    if other == member then return true end
  end
  return false
end

local function intersection(a, b)
  local both = {}
  for _, member in ipairs(a) do
    if has(b, member) then both[#both + 1] = member end
  end
  return both
end

local function has_common_or_none(a, b)
  return #a == 0 or #b == 0 or #intersection(a, b) > 0
end

local function does_seek(seeker, other)
  return #seeker.seeks == 0 or (other.is ~= nil and has(seeker.seeks, other.is))
end

local function is_allowed(a, b, rules)
  if a.ageBand ~= b.ageBand then return false end
  if not does_seek(a, b) or not does_seek(b, a) then return false end
  return not rules.isLanguageHard or has_common_or_none(a.languages, b.languages)
end

local function is_near_enough(a, b, expansion, is_repeat)
  if is_repeat and not expansion.isRepeatAllowed then return false end
  if expansion.isInterestNeeded and not has_common_or_none(a.interests, b.interests) then return false end
  if expansion.isLanguageNeeded and not has_common_or_none(a.languages, b.languages) then return false end
  if expansion.reach == 'topic' then return a.topic == b.topic end
  if expansion.reach == 'section' then
    return a.topic == b.topic or (a.section ~= nil and a.section == b.section)
  end
  return true
end

local function distance(a, b, weights, waited_ms)
  local fewer = math.min(#a.interests, #b.interests)
  local apart = fewer == 0 and 1 or 1 - #intersection(a.interests, b.interests) / fewer
  local sum = weights.interest * apart
  if not has_common_or_none(a.languages, b.languages) then sum = sum + weights.language end
  if a.topic ~= b.topic then
    sum = sum + ((a.section ~= nil and a.section == b.section) and weights.topic / 2 or weights.topic)
  end
  return sum - (weights.waiting * waited_ms) / 1000
end

local function step_at(expansions, waited_ms)
  local step = 1
  while step < #expansions and expansions[step + 1].afterMs <= waited_ms do step = step + 1 end
  return step
end

-- Returns the time at which a wait reaches its next step after `at`; nil when all are reached.
local function next_due_at(expansions, since, at)
  for _, expansion in ipairs(expansions) do
    if since + expansion.afterMs > at then return since + expansion.afterMs end
  end
  return nil
end

local function is_senior(a, b)
  if a.since ~= b.since then return a.since < b.since end
  return a.seq < b.seq
end

local function is_better(a, b)
  if a.is_repeat ~= b.is_repeat then return b.is_repeat end
  if a.distance ~= b.distance then return a.distance < b.distance end
  return is_senior(a.wait, b.wait)
end

-- Returns how well a candidate suits the seed, or nil if not at all.
local function judge(seed, candidate, rules, at, is_repeat)
  if not is_allowed(seed.ticket, candidate.ticket, rules) then return nil end
  local step = step_at(rules.expansions, at - math.min(seed.since, candidate.since))
  if not is_near_enough(seed.ticket, candidate.ticket, rules.expansions[step], is_repeat) then return nil end
  return { wait = candidate, is_repeat = is_repeat, distance = distance(seed.ticket, candidate.ticket, rules.weights, at - candidate.since) }
end
