import { test } from 'vitest';
import { VisitedApp } from './visited-app.ts';
import { ENDINGS } from './visits.ts';

test('after hundreds of visits no data of a visitor are held', async () => {
  await using visited = await VisitedApp.start();
  await visited.visit(300, ENDINGS);
  await visited.expectEmpty();
});
