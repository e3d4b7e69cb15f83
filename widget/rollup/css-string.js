import { TOKENS } from '../src/theme/tokens.ts';

/** Colours a site may replace, and the custom property it does so with. @type {Record<string, string>} */
const REPLACEABLE = { you: '--passerby-you', 'on-you': '--passerby-on-you' };
/** Placeholder in the bundle for the styles of all components, until they are all known. */
const PLACEHOLDER = '__COMPONENT_STYLES__';
const PLACEHOLDER_LITERAL = new RegExp(`(["'])${PLACEHOLDER}\\1`);

/**
 * Turns style sheets into strings, so that they can be adopted into a shadow root: a sheet imported by name is its own
 * text; the compiled `<style>` blocks of the components are collected and inserted in place of `__COMPONENT_STYLES__`.
 * `--tokens: light` or `--tokens: dark you them` in a sheet becomes those tokens.
 *
 * @returns {import('rollup').Plugin}
 */
export function cssString() {
  /** @type {Map<string, string>} */
  const components = new Map();
  return {
    name: 'css-string',
    buildStart: () => components.clear(),
    transform(code, id) {
      if (!id.endsWith('.css')) return null;
      const css = minify(fillTokens(code));
      const isOfComponent = /[/\\][A-Z]\w*\.css$/.test(id);
      if (isOfComponent) components.set(id, css);
      return {
        code: `export default ${JSON.stringify(isOfComponent ? '' : css)};`,
        map: null,
        moduleSideEffects: false,
      };
    },
    renderChunk(code) {
      if (!code.includes(PLACEHOLDER)) return null;
      const styles = [...components].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, css]) => css);
      return { code: code.replace(PLACEHOLDER_LITERAL, () => JSON.stringify(styles.join(''))), map: null };
    },
  };
}

/** @param {string} css */
function fillTokens(css) {
  return css.replace(/--tokens:\s*(light|dark)([\w\s-]*);/g, (_, theme, names) => {
    const tokens = TOKENS[/** @type {'light' | 'dark'} */ (theme)];
    const chosen = names.trim() ? names.trim().split(/\s+/) : Object.keys(tokens);
    return chosen
      .map((/** @type {keyof typeof tokens} */ name) => {
        if (!tokens[name]) throw new Error(`There is no token "${name}".`);
        const replacement = REPLACEABLE[name];
        return `--${name}:${replacement ? `var(${replacement},${tokens[name]})` : tokens[name]};`;
      })
      .join('');
  });
}

/** @param {string} css */
export function minify(css) {
  return css
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,>]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/ !important/g, '!important')
    .replace(/;}/g, '}')
    .replace(/\[(\w+)='(\w+)'\]/g, '[$1=$2]')
    .replace(/::(before|after)/g, ':$1')
    .trim();
}
