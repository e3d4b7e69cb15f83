import { z } from 'zod';

/** Control characters, which nobody types; a NUL among them makes PostgreSQL fail the whole statement. */
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

/** Schema of free text: control characters other than newline and tab are left out. */
export function freeText() {
  return z.string().overwrite((text) => text.replace(CONTROLS, ''));
}

/** Schema of text that has to come back as it was given, such as an id: one with a control character is refused. */
export function exactText() {
  return z.string().regex(/^\P{Cc}*$/u, 'no control characters');
}
