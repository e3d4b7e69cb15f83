import { describeRaces } from './races.ts';

describeRaces(1);
describeRaces(2);
