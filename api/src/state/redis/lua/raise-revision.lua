-- PURPOSE  raises the site's revision above one that was told already, after the store lost it and its clock is behind
-- MODE     write
-- KEYS
-- ARGV     told
-- RETURNS  done
-- COST     O(1)

if revision <= tonumber(A.told) then revision = tonumber(A.told) + 1 end
return { 'done' }
