import { describe, expect, test } from 'vitest';
import { defineTransform } from './transforms.ts';

const GOOD = {
  name: 'x',
  from: ['lesson:started'],
  mode: 'partitions',
  partition: 'day',
  sql: 'select 1',
} as const;

const problem = (changed: Record<string, unknown>): string => {
  try {
    defineTransform({ ...GOOD, ...changed } as never);
    return 'nothing';
  } catch (error) {
    expect(error).toMatchObject({
      code: 'transform.bad_definition',
      fault: 'user',
      why: expect.any(String),
      hint: expect.any(String),
      docs: expect.any(String),
    });
    return (error as Error).message;
  }
};

describe('a definition', () => {
  test('is taken as it is where it is whole', () => {
    expect(defineTransform(GOOD)).toMatchObject(GOOD);
    expect(problem({ from: ['payment:*', { mart: 'other' }], reads: { daysAfter: 7 } })).toBe('nothing');
  });

  test.each([
    [{ name: 'Daily Active' }, 'transform Daily Active: "Daily Active" is no name of a transform'],
    [{ name: 'events' }, '"events" is no name'],
    [{ name: undefined }, 'transform without a name: nothing is no name'],
    [{ sql: ' ' }, 'transform x: it has no SQL'],
    [{ from: [] }, 'from does not say what it reads'],
    [{ from: 'lesson:started' }, 'from does not say what it reads'],
    [{ from: ['lesson:started', 7] }, 'from holds 7'],
    [{ from: ['lesson *'] }, 'from holds "lesson *"'],
    [{ from: ['a:b', 'a_b'] }, 'two of its sources would be the view a_b'],
    [{ from: ['events'] }, 'two of its sources would be the view events'],
    [{ mode: 'merge' }, '"merge" is no mode'],
    [{ partition: undefined }, 'partition names no column'],
    [{ reads: { daysAfter: 1.5 } }, 'reads is not understood'],
    [{ reads: { days: 1 } }, 'reads is not understood'],
    [{ mode: 'append', reads: { daysAfter: 1 } }, 'reads is for the mode partitions'],
    [{ mode: 'append', from: ['a:b', { mart: 'c' }] }, 'append reads a mart beside something else'],
    [{ columns: { n: 'bigint' } }, 'columns gives n the type "bigint"'],
    [{ schedule: 'daily' }, 'schedule is no part of a transform'],
  ])('that is wrong is refused with what is wrong: %j', (changed, message) => {
    expect(problem(changed)).toContain(message);
  });
});

test('the compiler knows what each mode takes', () => {
  const { name, from, sql } = GOOD;
  // @ts-expect-error a partition is required
  expect(() => defineTransform({ name, from, sql, mode: 'partitions' })).toThrow('partition names no column');
  // @ts-expect-error append reads no days around
  expect(() => defineTransform({ name, from, sql, mode: 'append', reads: { daysAfter: 1 } })).toThrow(
    'reads is',
  );
  // @ts-expect-error no type of Iceberg
  expect(() => defineTransform({ ...GOOD, columns: { n: 'bigint' } })).toThrow('the type "bigint"');
});
