import { EXTENTS } from './disturbance.ts';
import { testDisturbances } from './disturbance-suite.ts';
import { clientsOfAService, oneRedis, postgres, sqlite } from './settings.ts';

testDisturbances('a client connection', 'deep', () => clientsOfAService(EXTENTS.deep.connections));
testDisturbances('a connection to one Redis', 'deep', oneRedis);
testDisturbances('a connection to PostgreSQL', 'deep', postgres);
testDisturbances('the SQLite file', 'deep', sqlite);
