import { expect, it } from 'vitest';
import { encoded } from './descriptors.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

// The right sides are the wire format by hand: field number and wire type, length, value.
it('a plan that asks for SQL is encoded as Spark’s own clients do', () => {
  expect(hex(encoded('Plan', { root: { sql: { query: 'select 1' } } }))).toBe('0a0c520a0a0873656c6563742031');
});

it('an operation that can be attached to again says so', () => {
  const request = { sessionId: 's', requestOptions: [{ reattachOptions: { reattachable: true } }] };
  expect(hex(encoded('ExecutePlanRequest', request))).toBe('0a01732a040a020801');
});

it('a map is a list of its entries', () => {
  const pairs = [{ key: 'a', value: 'b' }];
  expect(hex(encoded('ConfigPairs', { pairs }))).toBe('0a060a016112 0162'.replace(' ', ''));
});
