import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { githubEvents } from '../../../tests/support/corpora/github.ts';
import { uuidOf } from '../../../tests/support/events.ts';
import { transformLake } from '../../../tests/support/transform-lake.ts';
import { observedTypes } from './observed.ts';
import { typesText } from './print.ts';
import { emptyShape, learn } from './shape.ts';

const LIMITS = { depth: 6, fields: 4 };

function printed(...values: unknown[]): string {
  const shape = emptyShape();
  for (const value of values) learn(shape, value, LIMITS);
  const text = typesText([{ name: 'a:b', shape }], { header: [], fields: LIMITS.fields });
  return /export type AB = ([\s\S]*?);\n\n/.exec(text)![1]!.replace(/\s+/g, ' ');
}

describe('the types of events', () => {
  test.each([
    [[{ x: 1 }], '{ x: number; }'],
    [[{ x: 1 }, {}], '{ x?: number; }'],
    [[{ x: 1 }, { x: 'a' }, { x: null }], '{ x: string | number | null; }'],
    [[{ x: [1, 'a'] }], '{ x: Array<string | number>; }'],
    [[{ x: [1] }, { x: [] }], '{ x: number[]; }'],
    [[{ x: [] }], '{ x: unknown[]; }'],
    [[{ x: {} }], '{ x: Record<string, never>; }'],
    [[{ x: { y: true } }, { x: [{ z: 1 }] }], '{ x: { y: boolean; } | Array<{ z: number; }>; }'],
    [[{ b: 1, a: 1 }], '{ a: number; b: number; }'],
    [[{ 'a-b': 1, $c: 2 }], '{ $c: number; "a-b": number; }'],
    [[{ a: 1, b: 1, c: 1, d: 1, e: 'x', f: true }], 'Record<string, string | number | boolean>'],
    [[{ a: { b: { c: { d: { e: { f: 1 } } } } } }], '{ a: { b: { c: { d: { e: { f: number; }; }; }; }; }; }'],
    [
      [{ a: { b: { c: { d: { e: { f: { g: 1 } } } } } } }],
      '{ a: { b: { c: { d: { e: { f: unknown; }; }; }; }; }; }',
    ],
  ])('%j is %s', (values, type) => {
    expect(printed(...values)).toBe(type);
  });

  test('are the same in whatever order the events come', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ maxDepth: 3 }), { minLength: 1, maxLength: 8 }), (values) => {
        expect(printed(...values.toReversed())).toBe(printed(...values));
      }),
      { numRuns: 200 },
    );
  });

  test('have names that TypeScript takes, each its own', () => {
    const shape = emptyShape();
    const text = typesText(
      ['events', 'a:b', 'a-b', '1:x', '*/', '支付:完成', 'é\u001b\u009b'].map((name) => ({ name, shape })),
      { header: ['made'], fields: 4 },
    );
    expect([...text.matchAll(/export type (\S+) =/g)].map(([, name]) => name)).toEqual([
      'Event',
      'Event1X',
      'AB',
      'AB_2',
      'Events_2',
      'É',
      '支付完成',
    ]);
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    expect(text.startsWith('// made\n')).toBe(true);
    expect(text).not.toContain('`*/');
  });

  test('are those of the events in staging, and the same text every time', async () => {
    const lake = await transformLake();
    await lake.fill(githubEvents().map(({ document }) => document));
    const { worker } = lake;
    const options = { lake: worker.lake, engine: worker.engine, sample: 50, files: 1_000 };
    const text = await observedTypes(options);
    expect(await observedTypes(options)).toBe(text);
    const opened = /export type PullRequestOpened = ([\s\S]*?)\n};/.exec(text)![1]!;
    expect(opened).toContain('  action: string;');
    expect(opened).toContain('  repository: {');
    expect(text).toContain('  "pull_request:opened": PullRequestOpened;');
    expect(text.match(/export type/g)).toHaveLength(161);
  }, 60_000);

  test('of more events than the sample are of a bounded number, which the header says', async () => {
    const lake = await transformLake();
    await lake.fill(
      Array.from({ length: 30 }, (_, n) =>
        JSON.stringify({
          event_uuid: uuidOf(n),
          event_name: 'a:b',
          created_at: 1_768_000_000,
          [`field${n}`]: n,
        }),
      ),
    );
    const { worker } = lake;
    const text = await observedTypes({ lake: worker.lake, engine: worker.engine, sample: 10, files: 5 });
    expect(text.match(/field\d+\?/g)).toHaveLength(10);
    expect(text).toContain('at most 10 documents of each name, from the newest 5 files');
  });
});
