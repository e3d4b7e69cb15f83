import type { z } from 'zod';
import { Refusal } from '../../errors.ts';

/** Validated input of one request of the operators' API. */
export interface Asked<Path, Query, Body> {
  readonly path: Path;
  readonly query: Query;
  readonly body: Body;
}

/**
 * Operation with the schemas of its input and answer, and its handler. The router and the OpenAPI document are
 * generated from these.
 */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Path under `/admin/v1`, with `{parameters}`. */
  readonly path: string;
  /** Unique id, for generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly schemas: { readonly path?: z.ZodObject; readonly query?: z.ZodObject; readonly body?: z.ZodType };
  readonly answer: z.ZodType;
  /** The HTTP status of the answer. */
  readonly status: 200 | 201;
  readonly run: (raw: Asked<unknown, unknown, unknown>) => Promise<unknown>;
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** Binds a handler to its schemas: its input is validated, and its answer has the type of the schema. */
export function operation<
  Answer extends z.ZodType,
  Path extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(parts: {
  readonly route: `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`;
  readonly id: string;
  readonly summary: string;
  readonly path?: Path;
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  readonly status?: 201;
  readonly run: (asked: Asked<Output<Path>, Output<Query>, Output<Body>>) => Promise<z.output<Answer>>;
}): Operation {
  const [method, path] = parts.route.split(' ') as [string, string];
  const schemas = {
    ...(parts.path !== undefined && { path: parts.path }),
    ...(parts.query !== undefined && { query: parts.query }),
    ...(parts.body !== undefined && { body: parts.body }),
  };
  return {
    method: method.toLowerCase() as Operation['method'],
    path,
    id: parts.id,
    summary: parts.summary,
    schemas,
    answer: parts.answer,
    status: parts.status ?? 200,
    run: (raw) =>
      parts.run({
        path: read(schemas.path, raw.path) as Output<Path>,
        query: read(schemas.query, raw.query) as Output<Query>,
        body: read(schemas.body, raw.body) as Output<Body>,
      }),
  };
}

/** @throws Refusal `bad_request`, with a message that names each invalid field and what is expected. */
function read(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const wants = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new Refusal('bad_request', { message: wants.join('; ') });
}
