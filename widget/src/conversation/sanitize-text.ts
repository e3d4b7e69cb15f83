/** Control characters that change the reading direction, also of the text after them. */
const DIRECTION_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
/** Combining marks stacked higher than any script needs, which would paint over neighbouring lines. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;
/** Several blank lines in a row. */
const BLANK_LINES = /\n(?:[^\S\n]*\n){2,}/g;

/** Returns a stranger's text without what could disturb the page around it. Its wording is not changed. */
export function sanitizeText(text: string): string {
  return text.replace(DIRECTION_CONTROLS, '').replace(STACKED_MARKS, '$1').replace(BLANK_LINES, '\n\n');
}
