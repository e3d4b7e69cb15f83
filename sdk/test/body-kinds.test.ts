import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const FRAME = 'sdk/src/protocol/frame.ts';
const HANDLERS = [
  'sdk/src/conversation/conversation.ts',
  'sdk/src/conversation/parse-body.ts',
  'sdk/src/protocol/frame.test-d.ts',
];

/** Returns the files that do not compile if `edit` is made to the protocol's file of frames. */
function filesWithErrors(edit: (source: string) => string): string[] {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(
    {
      ...config,
      files: HANDLERS,
      compilerOptions: {
        ...(config as { compilerOptions: object }).compilerOptions,
        lib: ['ES2023', 'DOM', 'DOM.Iterable'],
        types: [],
      },
    },
    ts.sys,
    root,
  );
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  host.readFile = (file) => {
    const text = readFile.call(host, file);
    return text !== undefined && path.relative(root, file) === FRAME ? edit(text) : text;
  };
  const program = ts.createProgram(
    HANDLERS.map((file) => path.join(root, file)),
    options,
    host,
  );
  const files = ts.getPreEmitDiagnostics(program).map(({ file }) => path.relative(root, file?.fileName ?? '?'));
  return [...new Set(files)].sort();
}

test('a new kind of body does not compile before it is listed, parsed and handled', () => {
  expect(filesWithErrors((source) => source)).toEqual([]);
  const withReaction = (source: string): string =>
    source.replace('export type Body = ', "export type Body = { readonly kind: 'reaction' } | ");
  expect(filesWithErrors(withReaction)).toEqual(HANDLERS);
});
