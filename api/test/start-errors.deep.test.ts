import { describeStartErrors } from './start-errors.ts';

describeStartErrors('all');
