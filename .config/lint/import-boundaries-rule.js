import path from 'node:path';
import { root } from '../scripts/run.js';
import { DIRECTIONS } from './import-boundaries.js';

const isTest = (/** @type {string} */ file) => /\.test(-d)?\.ts$|(^|\/)test\//.test(file);

/** Returns whether `name` (a path of this repository, or a package) is covered by `pattern` as written in the table. @param {string} name @param {string} pattern */
function isCovered(name, pattern) {
  if (pattern.endsWith('/')) return name.startsWith(pattern);
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return name === pattern;
}

/**
 * Returns the path from the top of the repository for a relative import, otherwise the package. @param {string} from
 * @param {string} specifier
 */
function target(from, specifier) {
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : specifier;
}

/** @type {import('eslint').Rule.RuleModule} */
export const directionsRule = {
  meta: { type: 'problem', messages: { direction: '{{from}} may not import {{to}}. {{why}}' }, schema: [] },
  create(context) {
    const from = path.relative(root, context.filename).split(path.sep).join('/');
    const bound = isTest(from)
      ? []
      : DIRECTIONS.filter(
          (direction) =>
            direction.from.some((pattern) => isCovered(from, pattern)) &&
            !direction.except?.some((pattern) => isCovered(from, pattern)),
        );
    if (bound.length === 0) return {};

    /** @param {any} node @param {any} source */
    const check = (node, source) => {
      const specifier = source?.type === 'TSLiteralType' ? source.literal.value : source?.value;
      if (typeof specifier !== 'string') return;
      const to = target(from, specifier);
      for (const { only, never = [], why } of bound) {
        const isWrong = only
          ? !only.some((pattern) => isCovered(to, pattern))
          : never.some((pattern) => isCovered(to, pattern));
        if (isWrong) context.report({ node, messageId: 'direction', data: { from, to, why } });
      }
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (/** @type {any} */ node) => check(node, node.source ?? node.argument),
    };
  },
};
