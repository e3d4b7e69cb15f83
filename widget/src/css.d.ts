/** A style sheet as a string, with its tokens filled in at build time: see `rollup/css-string.js`. */
declare module '*.css' {
  const css: string;
  export default css;
}
