import { expect, test } from 'vitest';
import { Failure, type FailureDetails } from '../base/base.ts';
import { exitCodeOf } from './exit.ts';

test.each<[number, FailureDetails]>([
  [2, { code: 'cli.usage', fault: 'user' }],
  [2, { code: 'config.bad_value', fault: 'user' }],
  [4, { code: 'stream.access_denied', fault: 'user' }],
  [4, { code: 'stream.no_credentials', fault: 'user' }],
  [4, { code: 'stream.expired_token', fault: 'service', retry: 'backoff' }],
  [5, { code: 'stream.unavailable', fault: 'service', retry: 'backoff' }],
  [5, { code: 'lake.commit_unknown', fault: 'service', retry: 'refresh' }],
  [1, { code: 'stream.bad_answer', fault: 'service' }],
  [1, { code: 'stream.not_found', fault: 'user' }],
  [70, { code: 'lake.broken_invariant', fault: 'ourselves' }],
])('exit code %d for %o', (exit, details) => {
  expect(exitCodeOf(new Failure('it did not work', details))).toBe(exit);
});
