import { STATUS_CODES } from 'node:http';
import { ERRORS, type Problem } from '@passerby/sdk/protocol';
import { Refusal } from '../errors.ts';
import { instanceOf, newRequestId } from '../observability/request-id.ts';
import { BASE_HEADERS } from './security-headers.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** Returns a refusal as RFC 9457 problem details. */
export function problemOf(refusal: Refusal, requestId: string): Problem {
  const problem = {
    type: 'about:blank',
    title: refusal.message,
    status: ERRORS[refusal.code].status,
    code: refusal.code,
    instance: instanceOf(requestId),
  };
  return refusal.retryAfterMs === undefined ? problem : { ...problem, retryAfterMs: refusal.retryAfterMs };
}

/**
 * Returns a complete HTTP response as text, for what is not a request that Koa could answer. It closes the connection.
 * `headers` are further header lines, such as `Allow: GET`.
 */
export function rawProblem(code: Refusal['code'], headers: readonly string[] = []): string {
  const requestId = newRequestId();
  const problem = problemOf(new Refusal(code), requestId);
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    ...[...BASE_HEADERS].map(([name, value]) => `${name}: ${value}`),
    ...headers,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    '',
    body,
  ].join('\r\n');
}
