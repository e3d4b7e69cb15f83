import { isDeepStrictEqual } from 'node:util';
import { type Token, TOKENS } from '../../widget/src/theme/tokens.ts';
import { DEFAULT_MATCH_RULES } from '../src/matching/rules.ts';
import type { Figures } from './figures.ts';
import type { Result } from './lab.ts';
import { percent } from './report.ts';

/** Colour tokens of the widget that the picture uses. */
const USED = ['surface', 'line', 'text', 'soft', 'you', 'them', 'meet'] as const satisfies readonly Token[];

const WIDTH = 960;
const TOP = 132;
const ROW = 50;
const FOOT = 62;
const WAITS = { left: 218, right: 640 } as const;
const STEPS = { left: 684, right: 936 } as const;

/** Maximum wait at which the axis may end, and the positions of its marks; seconds. */
const AXIS_ENDS = [10, 20, 40, 60, 90, 120, 240, 480, 960];
const AXIS_MARKS = [0, 1, 3, 6, 10, 20, 40, 60, 90, 120, 240, 480, 960];

/** Draws waits and steps of every profile as one picture, readable on a light and on a dark page. */
export function plotOf({ seed, rules, profiles }: Result): string {
  const height = TOP + ROW * profiles.length + FOOT;
  const bottom = TOP + ROW * profiles.length;
  const longest = Math.max(0, ...profiles.map(({ figures }) => figures.waitMs.max / 1_000));
  const end = AXIS_ENDS.find((seconds) => seconds >= longest) ?? Math.ceil(longest);
  const x = (seconds: number) => round(WAITS.left + (WAITS.right - WAITS.left) * Math.sqrt(seconds / end));
  const starts = rules.expansions.map(({ afterMs }) => afterMs / 1_000);
  const sites = profiles.length === 1 ? 'A made-up site' : `${profiles.length} made-up sites`;
  const marks = AXIS_MARKS.filter((seconds) => seconds <= end);

  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title about">`,
    `<title id="title">How long visitors wait, and by which step they are matched</title>`,
    `<desc id="about">${profiles.map(({ profile, figures }) => sentence(profile.title, figures)).join(' ')}</desc>`,
    `<style>${css()}</style>`,
    `<rect class="surface" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="22"/>`,
    text(24, 42, 'Who waits how long', 'head'),
    text(
      24,
      64,
      `${sites} under ${isDeepStrictEqual(rules, DEFAULT_MATCH_RULES) ? 'the default' : 'changed'} rules, seed ${escaped(seed)}`,
      'soft',
    ),
    ...waitsLegend(),
    ...stepsLegend(starts),
    ...marks.flatMap((seconds) => [
      `<path class="grid" d="M${x(seconds)} ${TOP}V${bottom}"/>`,
      text(x(seconds), bottom + 20, String(seconds), 'soft middle'),
    ]),
    text((WAITS.left + WAITS.right) / 2, bottom + 44, 'seconds until the match (square-root scale)', 'middle'),
    ...[0, 25, 50, 75, 100].map((share) => text(acrossSteps(share / 100), bottom + 20, String(share), 'soft middle')),
    text((STEPS.left + STEPS.right) / 2, bottom + 44, '% of matches, by step', 'middle'),
    ...profiles.flatMap(({ profile, figures }, row) => rowOf(profile.title, figures, TOP + ROW * row, x)),
    `</svg>`,
  ];
  return `${lines.join('\n')}\n`;
}

function rowOf(title: string, figures: Figures, top: number, x: (seconds: number) => number): readonly string[] {
  const middle = top + ROW / 2;
  const [p50, p95, max] = [figures.waitMs.p50, figures.waitMs.p95, figures.waitMs.max].map((ms) => x(ms / 1_000));
  return [
    `<path class="rule" d="M24 ${top}H${STEPS.right}"/>`,
    text(24, middle - 2, title, 'name'),
    text(24, middle + 15, `${thousands(figures.visitors)} visitors, ${percent(figures.gaveUp)} gave up`, 'soft small'),
    `<path class="reach" d="M${p95} ${middle}H${max}"/>`,
    `<path class="span" d="M${p50} ${middle}H${p95}"/>`,
    `<circle class="max" cx="${max}" cy="${middle}" r="4.5"/>`,
    `<circle class="p95" cx="${p95}" cy="${middle}" r="5.5"/>`,
    `<circle class="p50" cx="${p50}" cy="${middle}" r="5.5"/>`,
    ...stepBars(Object.values(figures.steps), middle),
  ];
}

function stepBars(shares: readonly number[], middle: number): readonly string[] {
  let from = 0;
  return shares.flatMap((share, step) => {
    const [left, right] = [acrossSteps(from), acrossSteps(from + share)];
    from += share;
    const opacity = opacityOf(step, shares.length);
    const label = text(
      round((left + right) / 2),
      middle + 4,
      String(Math.round(share * 100)),
      `middle small ${opacity > 0.6 ? 'on-step' : ''}`.trim(),
    );
    return [
      `<rect class="step" x="${left}" y="${middle - 10}" width="${round(right - left)}" height="20" fill-opacity="${opacity}"/>`,
      ...(share >= 0.08 ? [label] : []),
    ];
  });
}

function waitsLegend(): readonly string[] {
  const y = 106;
  return [
    `<circle class="p50" cx="${WAITS.left + 6}" cy="${y - 4}" r="5.5"/>`,
    text(WAITS.left + 18, y, 'half waited less', 'small'),
    `<circle class="p95" cx="${WAITS.left + 132}" cy="${y - 4}" r="5.5"/>`,
    text(WAITS.left + 144, y, '95 in 100 waited less', 'small'),
    `<circle class="max" cx="${WAITS.left + 292}" cy="${y - 4}" r="4.5"/>`,
    text(WAITS.left + 304, y, 'the longest wait', 'small'),
  ];
}

function stepsLegend(starts: readonly number[]): readonly string[] {
  const each = (STEPS.right - STEPS.left) / starts.length;
  return [
    text(STEPS.left, 86, 'Matched by the step from … seconds on', 'small'),
    ...starts.flatMap((start, step) => {
      const left = round(STEPS.left + each * step);
      const opacity = opacityOf(step, starts.length);
      return [
        `<rect class="step" x="${left}" y="96" width="12" height="12" rx="3" fill-opacity="${opacity}"/>`,
        text(left + 18, 106, String(start), 'small'),
      ];
    }),
  ];
}

/** Opacity of a step: the later, the paler. */
function opacityOf(step: number, steps: number): number {
  return round(steps === 1 ? 1 : 1 - 0.84 * (step / (steps - 1)) ** 1.2);
}

function acrossSteps(share: number): number {
  return round(STEPS.left + (STEPS.right - STEPS.left) * share);
}

function sentence(title: string, { waitMs, gaveUp }: Figures): string {
  const [p50, p95, max] = [waitMs.p50, waitMs.p95, waitMs.max].map((ms) => (ms / 1_000).toFixed(1));
  return `${title}: half waited less than ${p50} s, 95 in 100 less than ${p95} s, the longest ${max} s; ${percent(gaveUp)} gave up.`;
}

function css(): string {
  const variables = (theme: keyof typeof TOKENS) => USED.map((token) => `--${token}:${TOKENS[theme][token]}`).join(';');
  return [
    `svg{${variables('light')}}`,
    `@media (prefers-color-scheme:dark){svg{${variables('dark')}}}`,
    `text{font:13px/1 ui-sans-serif,system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--text)}`,
    `.head{font-size:22px;font-weight:600;letter-spacing:-.02em}.name{font-weight:600}.small{font-size:12px}.soft{fill:var(--soft)}`,
    `.middle{text-anchor:middle}.on-step{fill:var(--surface)}`,
    `.surface{fill:var(--surface);stroke:var(--line)}.grid,.rule{stroke:var(--line);fill:none}`,
    `.span{stroke:var(--them);stroke-width:5;stroke-opacity:.35}.reach{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:2 4}`,
    `.p50,.step{fill:var(--them)}.p95{fill:var(--you)}.max{fill:var(--surface);stroke:var(--meet);stroke-width:2.5}`,
  ].join('');
}

function text(x: number, y: number, words: string, classes: string): string {
  return `<text x="${x}" y="${y}" class="${classes}">${words}</text>`;
}

function escaped(words: string): string {
  return words.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
