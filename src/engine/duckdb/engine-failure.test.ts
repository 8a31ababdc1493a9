import { expect, it } from 'vitest';
import { engineFailure } from './duckdb.ts';

it.each([
  'IO Error: Could not write to file "/lake/work/x.parquet": No space left on device',
  'ENOSPC: no space left on device, mkdtemp',
])('a full disk is tried again: room may come back (%s)', (text) => {
  expect(engineFailure(new Error(text), 'writing')).toMatchObject({
    ...{ code: 'engine.disk', fault: 'user', retry: 'backoff' },
    hint: 'make room on the disk that holds the lake folder',
  });
});

it('memory that does not suffice is not', () => {
  expect(engineFailure(new Error('Out of Memory Error: failed to allocate'), 'judging')).toMatchObject({
    ...{ code: 'engine.memory', retry: 'never' },
  });
});
