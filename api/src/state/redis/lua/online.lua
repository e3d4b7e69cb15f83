-- PURPOSE  number of connected sessions of a site
-- MODE     read
-- KEYS     placed
-- ARGV
-- RETURNS  counted online
-- COST     O(1)

return { 'counted', redis.call('ZCARD', K.placed) }
