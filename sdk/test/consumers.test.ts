import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const sdk = path.resolve(import.meta.dirname, '..');
const tsc = path.resolve(sdk, '../node_modules/.bin/tsc');
const run = promisify(execFile);
let folder: string;

/** Resolves with the output of the compiler. */
async function compile(...args: string[]): Promise<string> {
  return run(tsc, args).then(
    ({ stdout }) => stdout,
    (failure: { stdout: string }) => failure.stdout,
  );
}

const CONSUMER = `
import { type Chat, ChatError, type ChatOptions, type ChatState, createChat, needsAgreement } from '@passerby/sdk';
import { LIMITS } from '@passerby/sdk/protocol';

const origin: string | undefined = undefined;
const options: ChatOptions = { url: 'https://chat.example.org', site: 'pk_test_demo', origin, scope: undefined };
const chat: Chat = createChat(options);
const { find, on, takeOver } = chat;

export function words(state: ChatState): readonly string[] {
  return state.status === 'chatting' ? state.messages.map(({ text }) => text) : [];
}
export async function start(signal: AbortSignal | undefined): Promise<void> {
  const undo: () => void = on('message', ({ text }) => text.toUpperCase());
  try {
    if (!(await chat.resume())) await find({ interests: ['tea'] }, { signal });
    if (needsAgreement(chat.snapshot()).rules !== null) await takeOver();
  } catch (error) {
    if (error instanceof ChatError && error.code === 'open_elsewhere') undo();
  }
  if (words(chat.snapshot().state).join('').length > LIMITS.textMaxChars) await chat.close();
}
`;

/** Package as published, without the rest of the workspace: declarations of the present sources. */
beforeAll(async () => {
  const results = path.resolve(sdk, '../test-results');
  await mkdir(results, { recursive: true });
  folder = await mkdtemp(path.join(results, 'consumer-'));
  const installed = path.join(folder, 'node_modules/@passerby/sdk');
  const declarations = ['--emitDeclarationOnly', '--sourceMap', 'false', '--outDir', path.join(installed, 'dist')];
  expect(await compile('-p', path.join(sdk, 'tsconfig.build.json'), ...declarations)).toBe('');
  await cp(path.join(sdk, 'package.json'), path.join(installed, 'package.json'));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(path.join(folder, 'consumer.ts'), CONSUMER);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('declarations compile for a consumer with ES2022 and the DOM, without skipLibCheck', () => {
  test.each([
    ['node16', 'node16', false],
    ['esnext', 'bundler', true],
  ])('module %s, moduleResolution %s, exactOptionalPropertyTypes %s', async (module, moduleResolution, isExact) => {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      exactOptionalPropertyTypes: isExact,
    };
    const project = path.join(folder, `${moduleResolution}-${isExact}.json`);
    await writeFile(project, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    expect(await compile('-p', project)).toBe('');
  });
});
