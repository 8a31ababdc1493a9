import { expect, it } from 'vitest';
import { evenHashKeyRanges, type HashKeyRange } from '../kinesis/kinesis.ts';
import { forgettable, type Progress, startOf } from './lineage.ts';
import type { Position, ShardInfo } from './stream.ts';

const PIN = 'AT_TIMESTAMP:1000';
const [hashKeys] = evenHashKeyRanges(1) as [HashKeyRange];

function start(
  shard: string,
  lineage: Record<string, string[]>,
  { positions = {}, pin = PIN }: { positions?: Record<string, Position>; pin?: Position } = {},
): Position | undefined {
  const info = (id: string): ShardInfo => ({ id, parents: lineage[id] ?? [], closed: false, hashKeys });
  const listed = new Map(Object.keys(lineage).map((id) => [id, info(id)]));
  const progress: Progress = { positions: new Map(Object.entries(positions)), pin };
  return startOf(info(shard), listed, progress);
}

it('goes on from where a shard stands, and leaves alone what was read to its end', () => {
  expect(start('a', { a: [] }, { positions: { a: '7' } })).toBe('7');
  expect(start('a', { a: [] }, { positions: { a: 'end' } })).toBeUndefined();
});

it('begins an unknown shard without a parent at the pin', () => {
  expect(start('a', { a: [] })).toBe(PIN);
});

it('makes a child wait for every parent', () => {
  const merge = { a: [], b: [], c: ['a', 'b'] };
  expect(start('c', merge)).toBeUndefined();
  expect(start('c', merge, { positions: { a: 'end', b: '3' } })).toBeUndefined();
  expect(start('c', merge, { positions: { a: 'end', b: 'end' } })).toBe('TRIM_HORIZON');
});

it('begins a child of a known shard at its beginning, or records between reshard and notice would be lost', () => {
  expect(start('b', { a: [], b: ['a'] }, { positions: { a: 'end' } })).toBe('TRIM_HORIZON');
});

it('does not wait for a parent that is not listed any more', () => {
  expect(start('b', { b: ['a'] })).toBe(PIN);
  expect(start('b', { b: ['a'] }, { positions: { a: '7' } })).toBe('TRIM_HORIZON');
});

it('begins the child of a shard that closed before the pin at the pin', () => {
  const split = { a: [], b: ['a'] };
  expect(start('b', split, { positions: { a: 'passed' } })).toBe(PIN);
  expect(start('a', split, { positions: { a: 'passed' } })).toBeUndefined();
});

it('needs the position of a shard at its end as long as it is listed, or a child of it has no position', () => {
  const forgotten = (lineage: Record<string, string[]>, positions: Record<string, Position>) => {
    const shards = Object.entries(lineage).map(([id, parents]) => ({ id, parents, closed: false, hashKeys }));
    const listed = new Map(shards.map((shard) => [shard.id, shard]));
    return forgettable(listed, new Map(Object.entries(positions)));
  };
  expect(forgotten({ a: [], b: ['a'] }, { a: 'end', b: '7' })).toEqual([]);
  expect(forgotten({ b: ['a'], c: ['a'] }, { a: 'end', b: '7' })).toEqual([]);
  expect(forgotten({ b: ['a'], c: ['a'] }, { a: 'end', b: '7', c: 'end' })).toEqual(['a']);
  expect(forgotten({ b: ['a'] }, { a: '9', b: '7' })).toEqual([]);
  expect(forgotten({}, { a: 'end' })).toEqual(['a']);
  expect(forgotten({ b: ['a'] }, { a: 'passed', b: '7' })).toEqual(['a']);
});
