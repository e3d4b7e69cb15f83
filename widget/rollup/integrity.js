import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Hash as in an `integrity` attribute. @param {string | Uint8Array} content */
const hashOf = (content) => `sha384-${createHash('sha384').update(content).digest('base64')}`;

/** @param {string} moduleId */
const blank = (moduleId, what = '') => `@@${what}:${path.basename(moduleId)}@@`;

/**
 * Code at the beginning of modules that import chunks. Some browsers cache a failed load by its URL, so the next
 * attempt has another one. Elements of the page may shadow the document's head.
 */
const LOAD_CHUNK = `
const failures = {};
const loadChunk = (url, integrity, first) => {
  const suffix = failures[url] ?? '';
  const href = url + suffix;
  const link = Object.assign(document.createElement('link'), { rel: 'modulepreload', crossOrigin: '', integrity, href });
  Reflect.get(Document.prototype, 'head', document).append(link);
  return (suffix ? import(href) : first())
    .catch((error) => {
      failures[url] = suffix + '?';
      throw error;
    })
    .finally(() => link.remove());
};`;

/**
 * Prevents any chunk but the one that was built from running: before it is imported, a `modulepreload` with its hash
 * fetches it, and a mismatch makes the import after it fail.
 *
 * @returns {import('rollup').Plugin}
 */
export function chunkIntegrity() {
  return {
    name: 'chunk-integrity',
    // By its name at first, as the tools of a site that bundles this file understand it.
    renderDynamicImport: ({ targetModuleId }) =>
      targetModuleId === null
        ? null
        : {
            left: `loadChunk(new URL("${blank(targetModuleId, 'name')}",import.meta.url),"${blank(targetModuleId, 'hash')}",()=>import(`,
            right: '))',
          },
    intro: ({ dynamicImports }) => (dynamicImports.length > 0 ? LOAD_CHUNK : ''),
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      for (const { facadeModuleId, fileName, code, isDynamicEntry } of chunks) {
        if (!isDynamicEntry || !facadeModuleId) continue;
        for (const chunk of chunks) {
          chunk.code = chunk.code
            .replaceAll(blank(facadeModuleId, 'hash'), hashOf(code))
            .replaceAll(blank(facadeModuleId, 'name'), fileName);
        }
      }
      const left = chunks.find(({ code }) => code.includes('@@hash:'));
      if (left) this.error(`${left.fileName} imports a chunk whose hash is not known.`);
    },
  };
}

/**
 * Replaces `__INTEGRITY__` by the hash of a file that was built before, and writes the hashes of all scripts to
 * `integrity.json`.
 *
 * @param {string} file
 * @returns {import('rollup').Plugin}
 */
export function entryIntegrity(file) {
  return {
    name: 'entry-integrity',
    async renderChunk(code) {
      return { code: code.replace('__INTEGRITY__', hashOf(await readFile(file))), map: null };
    },
    async writeBundle() {
      const folder = path.dirname(file);
      const scripts = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();
      const hashes = await Promise.all(
        scripts.map(async (name) => [name, hashOf(await readFile(path.join(folder, name)))]),
      );
      await writeFile(path.join(folder, 'integrity.json'), `${JSON.stringify(Object.fromEntries(hashes), null, 2)}\n`);
    },
  };
}
