import { EXTENTS } from './disturbance.ts';
import { testDisturbances } from './disturbance-suite.ts';
import { clientsOfAService, oneRedis, postgres, redisCluster, redisSentinels, sqlite } from './settings.ts';

testDisturbances('a client connection', 'deep', () => clientsOfAService(EXTENTS.deep.connections));
testDisturbances('a connection to one Redis', 'deep', oneRedis);
testDisturbances('a connection to a Redis Cluster', 'deep', redisCluster);
testDisturbances('a connection to a Sentinel', 'deep', redisSentinels);
testDisturbances('a connection to PostgreSQL', 'deep', postgres);
testDisturbances('the SQLite file', 'deep', sqlite);
