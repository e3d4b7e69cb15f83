/**
 * Makes libraries use array syntax instead of `Array.from`: old libraries that pages still have (Prototype, MooTools)
 * replace it by one of their own, which does not support iterables.
 *
 * @returns {import('rollup').Plugin}
 */
export function nativeLists() {
  return {
    name: 'native-lists',
    transform(code, id) {
      if (!id.includes('node_modules') || !code.includes('Array.from')) return null;
      const native = code
        .replace('= Array.from;', '= (list) => [...list];')
        .replace(/\bArray\.from\(((?:new )?[\w.#]+(?:\(\w*\))?)\)/g, '[...$1]');
      return { code: native, map: null };
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle))
        if (file.type === 'chunk' && file.code.includes('Array.from'))
          this.error(`${file.fileName} uses Array.from, which pages replace.`);
    },
  };
}
