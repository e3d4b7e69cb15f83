import { testDisturbances } from './disturbance-suite.ts';
import { postgres } from './settings.ts';

testDisturbances('a disturbed connection to PostgreSQL', 'short', postgres);
