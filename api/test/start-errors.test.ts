import { describeStartErrors } from './start-errors.ts';

describeStartErrors('some');
