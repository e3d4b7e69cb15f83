import { describeRaces } from './races.ts';

describeRaces(0, 1_000);
describeRaces(1, 1_000);
describeRaces(2, 1_000);
