import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import ts from 'typescript-eslint';
import { directionsRule } from './lint/import-boundaries-rule.js';
import { docCommentStartRule } from './lint/doc-comment-start-rule.js';
import { noPipeRule } from './lint/no-pipe-rule.js';
import { root } from './scripts/run.js';

const source = ['{sdk,widget,api}/src/**/*.{ts,js,svelte}'];
const tests = ['**/*.test.ts', '**/*.spec.ts', '**/test/**'];

const noHtml = [
  {
    selector: 'MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|srcdoc)$/]',
    message: 'A stranger wrote it: text nodes only. This also throws under Trusted Types.',
  },
  {
    selector: 'CallExpression[callee.object.name="document"][callee.property.name=/^(write|writeln)$/]',
    message: 'document.write breaks the page the widget stands in, and throws under Trusted Types.',
  },
];
const noEnum = [
  {
    selector: 'TSEnumDeclaration',
    message: 'Use a string union or an `as const` object: Node strips types, it does not compile them.',
  },
];

const noImpatience = [
  {
    selector: 'CallExpression[callee.object.name="vi"][callee.property.name="waitFor"][arguments.length=1]',
    message:
      'By itself it gives up after a second, which is how long a slow machine may take for anything: say how long.',
  },
];

const noWallClock = [
  {
    selector: 'MemberExpression[object.name="Date"][property.name="now"]',
    message:
      'The wall clock steps. Take a Clock for dates or a MonotonicClock for durations (api/src/clock.ts), in the SDK unixNow or monotonicNow (sdk/src/internal/clock.ts).',
  },
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'The wall clock steps, and no test can set it here. Make the date of what a Clock tells.',
  },
];

export default defineConfig(
  {
    ignores: ['**/node_modules/', '**/dist/', 'coverage/', 'test-results/', '.config/type-check-canary/', '**/*.d.ts'],
  },
  js.configs.recommended,
  ts.configs.recommended,
  svelte.configs.recommended,
  {
    plugins: {
      passerby: {
        rules: { directions: directionsRule, 'doc-comment-start': docCommentStartRule, 'no-pipe': noPipeRule },
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'passerby/directions': 'error',
      'passerby/no-pipe': 'error',
      'no-restricted-syntax': ['error', ...noHtml, ...noEnum],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-unused-vars': 'off', // the check of the types reports them
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts', '**/*.svelte.js'],
    languageOptions: {
      parserOptions: {
        parser: ts.parser,
        projectService: true,
        tsconfigRootDir: root,
        extraFileExtensions: ['.svelte'],
      },
    },
  },
  {
    files: ['**/*.svelte'],
    rules: {
      // Rules that go by types. For TypeScript they are oxlint's (oxlint.json), which does not read components.
      ...ts.configs.recommendedTypeCheckedOnly.at(-1)?.rules,
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/require-await': 'off', // an async function may answer at once
      'svelte/no-at-html-tags': 'error',
      // It takes the reason in such a comment for more names. svelte-check reports what is not ignored.
      'svelte/no-unused-svelte-ignore': 'off',
      'no-restricted-syntax': [
        'error',
        ...noHtml,
        ...noEnum,
        {
          selector: 'SvelteAttribute[key.name="style"]',
          message:
            'A style attribute violates `style-src` on the page of a site owner. Use a class, or a `style:` directive.',
        },
      ],
    },
  },
  { files: source, ignores: [...tests, 'api/src/main.ts'], rules: { 'no-console': 'error' } },
  {
    files: ['{sdk,api}/src/**/*.ts'],
    ignores: [...tests, 'api/src/clock.ts', 'sdk/src/internal/clock.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noHtml, ...noEnum, ...noWallClock] },
  },
  {
    files: ['{sdk,api}/**', 'widget/**', 'examples/**', '.config/**'],
    rules: { 'passerby/doc-comment-start': 'error' },
  },
  // Zod's schemas have a `pipe` too, and nothing here is a stream.
  { files: ['api/src/contract/**'], rules: { 'passerby/no-pipe': 'off' } },
  { files: ['widget/**'], languageOptions: { globals: globals.browser } },
  { files: ['sdk/src/**'], languageOptions: { globals: globals['shared-node-browser'] } },
  { files: ['api/public/**'], languageOptions: { globals: globals.browser } },
  {
    files: [
      'api/bin/**',
      'api/src/**',
      'api/test/**',
      'widget/rollup/**',
      'examples/**',
      '.config/**',
      '**/*.config.{js,ts}',
      'widget/test/e2e/**',
    ],
    languageOptions: { globals: globals.node },
  },
  {
    files: tests,
    rules: {
      'no-restricted-syntax': ['error', ...noHtml, ...noEnum, ...noImpatience],
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
