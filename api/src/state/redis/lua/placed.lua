-- PURPOSE  lists the sessions connected to a node, as far as the store knows
-- MODE     read
-- KEYS     sessions placed
-- ARGV     node after max
-- RETURNS  listed sessions
-- COST     O(log n + max)

local lower = A.after == '' and '[' .. A.node .. '\0' or '(' .. A.node .. '\0' .. A.after
local placed = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', K.placed, lower, '(' .. A.node .. '\1', 'LIMIT', 0, A.max)) do
  local sid = string.sub(member, #A.node + 2)
  local session = read_session(sid)
  if session then placed[#placed + 1] = { sid, session.fence } end
end
return { 'listed', placed }
