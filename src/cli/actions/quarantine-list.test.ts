import { expect, test } from 'vitest';
import { beginning } from './quarantine-list.ts';

test('the beginning of a record has a mark where the record goes on', () => {
  expect(beginning({ head: 'this line is no JSON', bytes: 20 })).toBe('this line is no JSON');
  expect(beginning({ head: '{"event_uuid":"5f', bytes: 108 })).toBe('{"event_uuid":"5f…');
  expect(beginning({ head: 'żółw', bytes: 7 })).toBe('żółw');
  expect(beginning({ head: 'hex 7B22FF', bytes: 3 })).toBe('hex 7B22FF');
  expect(beginning({ head: 'hex 7B22FF', bytes: 4 })).toBe('hex 7B22FF…');
});
