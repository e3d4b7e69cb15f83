import { testDisturbances } from './disturbance-suite.ts';
import { sqlite } from './settings.ts';

testDisturbances('a disturbed SQLite file', 'short', sqlite);
