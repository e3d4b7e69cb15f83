-- PURPOSE  renews the lease of a node that holds visitors of the site
-- MODE     write
-- KEYS     nodes
-- ARGV     node nodeLeaseMs
-- RETURNS  done
-- COST     O(log n) in nodes

redis.call('ZADD', K.nodes, 'GT', now() + tonumber(A.nodeLeaseMs), A.node)
return { 'done' }
