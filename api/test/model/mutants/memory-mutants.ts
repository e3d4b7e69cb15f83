import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import { changed, type Mutant } from './change.ts';

const FOLDER = 'state/memory';
const STORE = `${FOLDER}/memory-store.ts`;
const RECORDS = `${FOLDER}/records.ts`;
const QUEUE = `${FOLDER}/queue.ts`;
const CONVERSATIONS = `${FOLDER}/conversations.ts`;

/** Known-bad variants of the store in memory, by replacements in its files. */
export const MEMORY_MUTANTS: readonly Mutant[] = [
  {
    name: 'a visitor is their own candidate',
    changes: [{ file: `${FOLDER}/waiting-queue.ts`, from: 'waiter.sessionId !== seed.sessionId && ', to: '' }],
  },
  {
    name: 'an end clears one side of the pair',
    changes: [
      {
        file: CONVERSATIONS,
        from: 'session.conversation = null;\n    session.matchedBy',
        to: 'if (session === first) session.conversation = null;\n    session.matchedBy',
      },
    ],
  },
  {
    name: 'a block holds one way',
    changes: [{ file: QUEUE, from: 'isBlocked: site.blocks', to: 'isBlocked: session.id < sessionId && site.blocks' }],
  },
  {
    name: 'a find checks, waits for something, then acts',
    changes: [
      {
        file: STORE,
        from: 'return find(this.#records.require(ref), ticket, rules);',
        to: `const session = this.#records.require(ref);
        if (session.conversation !== null) return find(session, ticket, rules);
        await null;
        session.conversation = null;
        return find(session, ticket, rules);`,
      },
    ],
  },
  {
    name: 'who is back in the queue gets a new place',
    changes: [
      {
        file: CONVERSATIONS,
        from: 'waitIfConnected(session, pending.waits[index]!, rules)',
        to: 'waitIfConnected(session, { ...pending.waits[index]!, since: session.site.now() }, rules)',
      },
    ],
  },
  {
    name: 'looking with other words loses the place',
    changes: [{ file: CONVERSATIONS, from: 'const place = wait ?? {', to: 'const place = {' }],
  },
  {
    name: 'a match that lapses gives back both sides',
    changes: [{ file: CONVERSATIONS, from: 'if (pending.confirmed.has(session)) notices.push(', to: 'notices.push(' }],
  },
  {
    name: 'a conversation can end twice',
    changes: [{ file: CONVERSATIONS, from: 'site.conversations.delete(conversation.id);', to: '' }],
  },
  {
    name: 'cancelling does not see a match',
    changes: [
      {
        file: STORE,
        from: "if (session.conversation !== null) return { status: 'already_matched', revision: 0, notices: [] };",
        to: '',
      },
    ],
  },
  {
    name: 'a resume token is good for ever',
    changes: [
      {
        file: STORE,
        from: 'this.#records.revoke(presented === session.token ? session.formerToken : session.token);',
        to: '',
      },
    ],
  },
  {
    name: 'a token is void before its successor has arrived',
    changes: [
      {
        file: STORE,
        from: 'this.#records.tokens.set(next, session);',
        to: 'this.#records.revoke(presented); this.#records.tokens.set(next, session);',
      },
    ],
  },
  {
    name: 'a token stays good after its successor has arrived',
    changes: [
      { file: STORE, from: '    this.#records.revoke(session.formerToken);\n    session.formerToken = null;', to: '' },
    ],
  },
  {
    name: 'closing leaves the token before the present one',
    changes: [
      {
        file: RECORDS,
        from: 'this.revoke(session.token);\n    this.revoke(session.formerToken);',
        to: 'this.revoke(session.token);',
      },
    ],
  },
  {
    name: 'a resume does not raise the fence',
    changes: [{ file: STORE, from: 'session.fence += 1;', to: '' }],
  },
  {
    name: 'expansions are never due',
    changes: [
      {
        file: QUEUE,
        from: 'wait.dueAt = nextDueAt(rules.expansions, wait.since, session.site.now());',
        to: 'wait.dueAt = null;',
      },
    ],
  },
  {
    name: 'having met is not looked at',
    changes: [
      { file: 'matching/choose.ts', from: 'rules.expansions[step]!, isRepeat)', to: 'rules.expansions[step]!, false)' },
    ],
  },
  {
    name: 'seeking is looked at one way',
    changes: [
      { file: 'matching/distance.ts', from: 'if (!doesSeek(a, b) || !doesSeek(b, a))', to: 'if (!doesSeek(a, b))' },
    ],
  },
  {
    name: 'who is matched stays in the queue',
    changes: [
      {
        file: CONVERSATIONS,
        from: '    stopWaiting(session);\n    session.conversation = conversation;',
        to: '    session.wait = null;\n    session.conversation = conversation;',
      },
    ],
  },
  {
    name: 'who is away stays in the queue',
    changes: [
      {
        file: CONVERSATIONS,
        from: 'site.away.set(session.id, session);\n  dequeue(session);',
        to: 'site.away.set(session.id, session);',
      },
    ],
  },
  {
    name: 'a find that comes after the connection went is matched',
    changes: [
      {
        file: CONVERSATIONS,
        from: 'waitIfConnected(session, waitFor(session, ticket), rules)',
        to: 'waitInQueue(session, waitFor(session, ticket), rules)',
      },
    ],
  },
  {
    name: 'closing leaves the visitor in the queue',
    changes: [
      {
        file: CONVERSATIONS,
        from: '  stopWaiting(session);\n  records.remove(session);',
        to: '  records.remove(session);',
      },
    ],
  },
];

const source = fileURLToPath(new URL('../../../src', import.meta.url));
const protocol = new URL('../../../../sdk/src/protocol/index.ts', import.meta.url).href;

/** Folder of altered copies of the source; deleted after the tests. */
export class Workshop {
  readonly #directory = mkdtempSync(join(tmpdir(), 'passerby-mutants-'));
  #count = 0;

  /** Returns the store of a copy of the source with these mistakes in it. */
  async make({ changes }: Mutant): Promise<typeof MemoryStore> {
    const copy = join(this.#directory, String(++this.#count));
    await cp(source, copy, { recursive: true });
    const folder = (await readdir(join(copy, FOLDER))).map((name) => `${FOLDER}/${name}`);
    const touched = new Set([...folder, 'errors.ts', ...changes.map(({ file }) => file)]);
    for (const file of touched) {
      const text = await readFile(join(copy, file), 'utf8');
      const altered = changes.filter((change) => change.file === file).reduce(changed, text);
      // The copy is outside the workspace: what it imports by name is named by place.
      await writeFile(join(copy, file), altered.replaceAll("'@passerby/sdk/protocol'", JSON.stringify(protocol)));
    }
    const module = await import(/* @vite-ignore */ pathToFileURL(join(copy, STORE)).href);
    return (module as { MemoryStore: typeof MemoryStore }).MemoryStore;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
