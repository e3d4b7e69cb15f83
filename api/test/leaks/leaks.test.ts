import { test } from 'vitest';
import { VisitedApp } from './visited-app.ts';
import { ENDINGS } from './visits.ts';

test('once hundreds have connected, met, talked and gone, nothing of them is held', async () => {
  await using visited = await VisitedApp.start();
  await visited.visit(300, ENDINGS);
  await visited.expectEmpty();
});
