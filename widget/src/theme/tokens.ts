/**
 * Colour tokens. Style sheets use them as custom properties, which the build inserts where a sheet says `--tokens:
 * light` or `--tokens: dark`: see `rollup/css-string.js`.
 */
export const TOKENS = {
  light: {
    surface: '#fffdfa',
    raised: '#f4f0ea',
    line: '#e5dfd6',
    text: '#1d1b26',
    soft: '#6b6576',
    you: '#cb3c22',
    'on-you': '#ffffff',
    them: '#3d3a8c',
    'them-bg': '#ecebf7',
    meet: '#8a2c63',
  },
  dark: {
    surface: '#17161f',
    raised: '#211f2b',
    line: '#2e2b3a',
    text: '#f1eef6',
    soft: '#a39dae',
    you: '#ff8568',
    'on-you': '#2a0d05',
    them: '#a9a5ff',
    'them-bg': '#2a2840',
    meet: '#f08cc0',
  },
} as const;

export type Token = keyof (typeof TOKENS)['light'];

/** Text colours with their background colours; a test holds each pair to 4.5 : 1 in both themes. */
export const TEXT_PAIRS: readonly (readonly [text: Token, ground: Token])[] = [
  ['text', 'surface'],
  ['text', 'raised'],
  ['text', 'them-bg'],
  ['soft', 'surface'],
  ['soft', 'raised'],
  ['soft', 'them-bg'],
  ['on-you', 'you'],
  ['them', 'them-bg'],
  ['them', 'surface'],
  ['meet', 'surface'],
];
