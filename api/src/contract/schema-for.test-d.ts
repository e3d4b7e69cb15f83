/** Compile-time tests: each `@ts-expect-error` fails the type check when `schemaFor` accepts too much. */
import { z } from 'zod';
import { schemaFor } from './schema-for.ts';

interface Wire {
  readonly id: string;
  readonly status: 'open' | 'shut';
  readonly note?: string;
}

export const equal = schemaFor<Wire>()(
  z.strictObject({ id: z.string(), status: z.enum(['open', 'shut']), note: z.string().exactOptional() }),
);
// @ts-expect-error a forgotten optional field
export const forgotten = schemaFor<Wire>()(z.strictObject({ id: z.string(), status: z.enum(['open', 'shut']) }));
export const narrow = schemaFor<Wire>()(
  // @ts-expect-error a forgotten member of a union
  z.strictObject({ id: z.string(), status: z.enum(['open']), note: z.string().exactOptional() }),
);
export const extra = schemaFor<Wire>()(
  // @ts-expect-error a field the wire does not have
  z.strictObject({ id: z.string(), status: z.enum(['open', 'shut']), note: z.string().exactOptional(), more: z.int() }),
);
