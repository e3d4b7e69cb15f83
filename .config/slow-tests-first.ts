import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that spend long waiting, slowest first: their size does not show it. */
const SLOWEST = [
  'api/test/faults/conversations.redis.test.ts',
  'api/test/faults/store-faults.redis.test.ts',
  'api/test/faults/faults.redis.test.ts',
  'api/test/losses/set-back.redis.test.ts',
  'api/test/losses/store-losses.redis.test.ts',
  'api/test/faults/startup.redis.test.ts',
  'api/test/faults/start-words.redis.test.ts',
  'api/test/model/redis-model.redis.test.ts',
  'api/test/faults/link.redis.test.ts',
  'api/test/faults/demoted.redis.test.ts',
  'api/test/history/history.redis.test.ts',
  'api/test/sqlite-weather.test.ts',
  'api/test/start-errors.test.ts',
  'api/test/process-end.test.ts',
  'api/test/bounds/slow-reader.test.ts',
  'api/test/faults/limits-met.test.ts',
];

/** Starts the slowest files first, so that no worker is left alone with one at the end. */
export class SlowTestsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = SLOWEST.findIndex((file) => moduleId.endsWith(path.normalize(`/${file}`)));
      return place === -1 ? SLOWEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
