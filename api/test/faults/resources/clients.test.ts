import { EXTENTS } from './disturbance.ts';
import { testDisturbances } from './disturbance-suite.ts';
import { clientsOfAService } from './settings.ts';

testDisturbances('a disturbed client connection', 'short', () => clientsOfAService(EXTENTS.short.connections));
