import type { z } from 'zod';

/** Type as plain data: without brands and `readonly`. Two types are the same on the wire if these are equal. */
type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Plain<Item>[]
    : { readonly [Key in keyof T]: Plain<T[Key]> };

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Accepts a schema only if its output type *equals* the wire type: a forgotten optional field, a forgotten member of a
 * union or an extra field does not compile. `satisfies z.ZodType<T>` would accept all three.
 */
export function schemaFor<Wire>() {
  return <Schema extends z.ZodType>(
    schema: Equal<Plain<z.output<Schema>>, Plain<Wire>> extends true
      ? Schema
      : { readonly 'this schema lets something else through than the wire type': Plain<z.output<Schema>> },
  ): z.ZodType<Wire> => schema as unknown as z.ZodType<Wire>;
}
