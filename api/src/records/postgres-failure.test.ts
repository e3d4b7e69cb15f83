import { describe, expect, it } from 'vitest';
import { DatabaseFailure } from './database-failure.ts';
import { postgresFailure } from './postgres-failure.ts';

describe('postgresFailure', () => {
  it.each([
    new TypeError('rows is undefined'),
    new RangeError('too deep'),
    new ReferenceError('x'),
    new SyntaxError('{'),
  ])('leaves a bug as it is: %s', (bug) => {
    expect(postgresFailure(bug)).toBe(bug);
  });

  it.each([
    ['ECONNREFUSED', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['57P01', Object.assign(new Error('terminating'), { code: '57P01' })],
    ['CONNECTION_LOST', new Error('Connection terminated unexpectedly')],
    ['UNKNOWN', new Error('Received something else')],
  ])('names the reason of a failure of the server or the network: %s', (reason, thrown) => {
    const failure = postgresFailure(thrown);
    expect(failure).toBeInstanceOf(DatabaseFailure);
    expect((failure as DatabaseFailure).reason).toBe(reason);
  });

  it('leaves errors about values as they are', () => {
    const duplicate = Object.assign(new Error('duplicate key'), { code: '23505' });
    expect(postgresFailure(duplicate)).toBe(duplicate);
  });
});
