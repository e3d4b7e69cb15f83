import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { ERRORS, type ErrorCode } from '@passerby/sdk/protocol';
import { PROBLEM_TYPE } from '../problem.ts';
import type { Operation } from './operation.ts';

/** Path prefix of the operators' API. */
export const ADMIN_PATH = '/admin/v1';

const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    instance: z.string().optional(),
    retryAfterMs: z.int().optional(),
  })
  .meta({ id: 'Problem' });

/** Returns the OpenAPI 3.1 document of the operators' API, generated from the schemas that validate its requests. */
export function openApiOf(operations: readonly Operation[]): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const { method, path, id, summary, schemas, answer, status } of operations) {
    const refused = { description: 'Refused', content: { [PROBLEM_TYPE]: { schema: problem } } };
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: id,
        summary,
        requestParams: {
          ...(schemas.path !== undefined && { path: schemas.path }),
          ...(schemas.query !== undefined && { query: schemas.query }),
        },
        ...(schemas.body !== undefined && {
          requestBody: { required: true, content: { 'application/json': { schema: schemas.body } } },
        }),
        responses: {
          [status]: { description: summary, content: { 'application/json': { schema: answer } } },
          default: refused,
        },
      },
    };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Passerby: operators',
      version: '1',
      description: 'Sites, keys, reports, bans and the audit trail of a Passerby service.',
    },
    servers: [{ url: ADMIN_PATH }],
    security: [{ operatorToken: [] }],
    components: { securitySchemes: { operatorToken: { type: 'http', scheme: 'bearer' } } },
    paths,
  });
}
