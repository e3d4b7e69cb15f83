/** Marks that turn the reading direction around, also of what stands after them. */
const DIRECTION_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
/** Marks stacked higher than any script needs, which would paint over their neighbours. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;
/** Blank lines beyond one. */
const BLANK_LINES = /\n(?:[^\S\n]*\n){2,}/g;

/** A stranger's text, unable to disturb the page around it. What it says is not touched. */
export function sanitizeText(text: string): string {
  return text.replace(DIRECTION_CONTROLS, '').replace(STACKED_MARKS, '$1').replace(BLANK_LINES, '\n\n');
}
