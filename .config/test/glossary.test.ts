import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Words of the last column that are right where they name something else. */
const RIGHT_ELSEWHERE = new Set(['line', 'link', 'side', 'mark', 'door', 'hold']);

/** Lower-case words of an identifier, such as `turn out` of `TURN_OUT` and of `#turnOut`. */
const wordsOf = (identifier: string): string =>
  identifier
    .replaceAll(/[#_$]+/g, ' ')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .trim()
    .toLowerCase();

/** Names that a file declares: of variables, parameters, properties, methods, classes, types. */
function declaredIn(text: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      const { parent } = node as { readonly parent: ts.Node & { readonly name?: ts.Node } };
      if (parent.name === node && !ts.isPropertyAccessExpression(parent)) names.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true));
  return names;
}

const page = await readFile(path.join(root, 'docs/glossary.md'), 'utf8');
const notUsed = page
  .split('\n')
  .filter((line) => line.startsWith('| **'))
  .flatMap((line) => line.split('|').at(-2)!.split(','))
  .map((word) => word.trim())
  .filter((word) => word !== '' && !RIGHT_ELSEWHERE.has(word));
const refused = (name: string): boolean => notUsed.some((word) => new RegExp(`\\b${word}s?\\b`).test(wordsOf(name)));

it('names words that are not used', () => {
  expect(notUsed).toEqual(expect.arrayContaining(['parcel', 'turn out', 'allowance']));
  expect(['#turnOut', 'ALLOWANCES', 'ParcelBatch', 'isDeaf'].filter(refused)).toHaveLength(4);
  expect(['dialect', 'bookmark', 'turnOf'].filter(refused)).toEqual([]);
});

it('holds every identifier of the packages to the words that are used', async () => {
  const found: string[] = [];
  for await (const file of glob('{sdk,api,widget}/src/**/*.ts', { cwd: root })) {
    const text = await readFile(path.join(root, file), 'utf8');
    found.push(
      ...declaredIn(text)
        .filter(refused)
        .map((name) => `${file}: ${name}`),
    );
  }
  expect(found).toEqual([]);
});
