import { hold, type Ledger, type Visitor } from './ledger.ts';
import { SITES, type Inspection, type World } from './world.ts';

/** Compares the content of the store with what everybody was told, without changing it. */
export async function compare(ledger: Ledger, world: World): Promise<void> {
  const asked = await Promise.all(
    SITES.map(async (site) => [site, await world.store.online(site), await world.inspect(site)] as const),
  );
  for (const [site, online, inspection] of asked) {
    const here = ledger.openOn(site);
    const connected = here.filter(({ awaySince }) => awaySince === null);
    hold('I13', online === connected.length, () => `${online} online, not ${connected.length}`);
    if (inspection !== null) compareKeys(ledger, here, inspection);
  }
  const sizes = world.sizes();
  if (sizes !== null) compareSizes(ledger, sizes);
  const open = ledger.visitors.filter(({ isOpen }) => isOpen);
  // A store that shows its keys need not be asked about everyone each time.
  const asking = sizes === null ? open.slice(-1) : open;
  await Promise.all(asking.map((visitor) => compareVisitor(ledger, world, visitor)));
}

/** Reply of the store to a visitor that changes nothing. */
async function compareVisitor(ledger: Ledger, { store, now }: World, visitor: Visitor): Promise<void> {
  const { wait, sessionId, talk } = visitor;
  const survey = await store.survey(ledger.refOf(visitor));
  hold(
    'I1',
    (survey !== null) === (wait !== null),
    () => `${sessionId} ${survey === null ? 'does not wait' : 'waits'}`,
  );
  if (wait === null) {
    const { status } = await store.cancel(ledger.refOf(visitor));
    hold(
      'I1',
      status === (talk === null ? 'cancelled' : 'already_matched'),
      () => `${sessionId} is ${status}, in ${talk?.id ?? 'none'}`,
    );
    return;
  }
  hold(
    'I6',
    survey!.waitedMs === now() - wait.since,
    () => `${sessionId} waits for ${survey!.waitedMs} ms, not ${now() - wait.since}`,
  );
}

function compareSizes(ledger: Ledger, sizes: NonNullable<ReturnType<World['sizes']>>): void {
  const open = ledger.visitors.filter(({ isOpen }) => isOpen);
  const count = (is: (visitor: Visitor) => boolean) => open.filter(is).length;
  const expected = {
    sessions: open.length,
    tokens: open.flatMap((visitor) => ledger.goodTokens(visitor)).length,
    away: count(({ awaySince }) => awaySince !== null),
    sites: new Set(open.map(({ site }) => site)).size,
    waiting: count(({ wait }) => wait !== null),
    inQueue: count(({ wait, awaySince }) => wait !== null && awaySince === null),
    conversations: count(({ talk }) => talk !== null) / 2,
  };
  for (const [what, size] of Object.entries(expected) as [keyof typeof expected, number][]) {
    hold('I13', sizes[what] === size, () => `${sizes[what]} ${what} are held, not ${size}`);
  }
}

/** Compares one site's keys with one site's visitors. */
function compareKeys(ledger: Ledger, here: readonly Visitor[], keys: Inspection): void {
  const same = (a: readonly string[], b: readonly string[]) =>
    JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
  const ids = (is: (visitor: Visitor) => boolean) => here.filter(is).map(({ sessionId }) => sessionId);
  const waiting = Object.keys(keys.waits);
  hold(
    'I13',
    same(
      Object.keys(keys.sessions),
      ids(() => true),
    ),
    () => `sessions ${Object.keys(keys.sessions)}`,
  );
  for (const visitor of here) {
    const { sessionId, talk, awaySince, fence, nodeId } = visitor;
    const record = keys.sessions[sessionId]!;
    hold(
      'I1',
      !(record.conversationId !== '' && waiting.includes(sessionId)),
      () => `${sessionId} waits and is in ${record.conversationId}`,
    );
    hold(
      'I2',
      record.conversationId === (talk?.id ?? ''),
      () => `${sessionId} is in ${record.conversationId}, was told ${talk?.id}`,
    );
    hold(
      'I11',
      record.fence === fence && record.nodeId === nodeId,
      () => `${sessionId} has fence ${record.fence}, was told ${fence}`,
    );
    hold(
      'I13',
      record.isAway === (awaySince !== null),
      () => `${sessionId} is taken for ${record.isAway ? 'away' : 'here'}`,
    );
  }
  const talks = new Map(here.flatMap(({ talk }) => (talk === null ? [] : [[talk.id as string, talk]])));
  hold(
    'I2',
    same(Object.keys(keys.conversations), [...talks.keys()]),
    () => `conversations ${Object.keys(keys.conversations)}`,
  );
  for (const [id, sides] of Object.entries(keys.conversations)) {
    hold(
      'I2',
      sides[0] !== sides[1] && sides.every((side) => keys.sessions[side]?.conversationId === id),
      () => `${id} is of ${sides}`,
    );
  }
  const unconfirmed = [...talks.values()].filter(({ confirmed }) => confirmed.size < 2).map(({ id }) => id);
  hold('lapse', same(keys.pendingMatches, unconfirmed), () => `pending are ${keys.pendingMatches}, not ${unconfirmed}`);

  hold(
    'I1',
    same(
      waiting,
      ids(({ wait }) => wait !== null),
    ),
    () => `${waiting} wait`,
  );
  for (const { sessionId, wait } of here) {
    if (wait === null) continue;
    const { since } = keys.waits[sessionId]!;
    hold('I6', since === wait.since, () => `${sessionId} waits since ${since}, not ${wait.since}`);
  }
  const arrivals = here.filter(({ wait }) => wait !== null).sort((a, b) => a.wait!.seq - b.wait!.seq);
  const kept = [...waiting].sort((a, b) => keys.waits[a]!.seq - keys.waits[b]!.seq);
  hold(
    'I6',
    kept.join() === arrivals.map(({ sessionId }) => sessionId).join(),
    () => `the order of arrival is ${kept}`,
  );
  const lined = ids(({ wait, awaySince }) => wait !== null && awaySince === null);
  hold('I6', same(keys.inQueue, lined), () => `in the queue are ${keys.inQueue}, not ${lined}`);
  hold('I6', keys.indexed === keys.tagged, () => `${keys.indexed} entries of ${keys.tagged} tags`);
  hold(
    'I6',
    keys.due.every((sessionId) => keys.inQueue.includes(sessionId)),
    () => `due are ${keys.due}, in the queue ${keys.inQueue}`,
  );

  hold(
    'I13',
    same(
      keys.placed,
      ids(({ awaySince }) => awaySince === null),
    ),
    () => `placed are ${keys.placed}`,
  );
  hold(
    'I13',
    same(
      keys.away,
      ids(({ awaySince }) => awaySince !== null),
    ),
    () => `away are ${keys.away}`,
  );
  hold(
    'I11',
    same(
      Object.entries(keys.tokens).flat(),
      here.flatMap((visitor) => ledger.goodTokens(visitor).flatMap((token) => [token, visitor.sessionId])),
    ),
    () => `tokens ${JSON.stringify(keys.tokens)}`,
  );
}
