/** Forbids import cycles, of code and of types alike. Directions are lint rules: see lint/import-boundaries.js. */
export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Modules in a circle are one module in several files: none can be read, tested or loaded first.',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|coverage|test-results)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['passerby-source', 'import', 'default'], exportsFields: ['exports'] },
  },
};
