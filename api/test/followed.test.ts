import { describeFollowing } from './followed-contract.ts';
import { tempFolder } from './temp-records.ts';

describeFollowing('SQLite', () => {
  const folder = tempFolder();
  return Promise.resolve({
    place: { kind: 'sqlite', folder: folder.path },
    [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
  });
});
