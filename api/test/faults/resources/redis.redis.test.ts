import { testDisturbances } from './disturbance-suite.ts';
import { oneRedis } from './settings.ts';

testDisturbances('a disturbed connection to Redis', 'short', oneRedis);
