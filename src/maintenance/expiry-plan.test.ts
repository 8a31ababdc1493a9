import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ancestors, type Snapshot, type TableMetadata } from '../lake/lake.ts';
import { type ExpiryRules, expirable, READING_MS, withProperties } from './expiry-plan.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 1_000 * HOUR_MS;

/** Snapshots by number, an hour apart unless said otherwise; number 0 is the oldest. */
function table(
  parents: readonly (number | undefined)[],
  {
    main,
    refs = {},
    step_ms = HOUR_MS,
    properties = {},
  }: {
    main: number;
    refs?: TableMetadata['refs'];
    step_ms?: number;
    properties?: Record<string, string>;
  },
): TableMetadata {
  const snapshots = parents.map((parent, n): Snapshot => {
    return {
      'snapshot-id': BigInt(n),
      ...(parent !== undefined && { 'parent-snapshot-id': BigInt(parent) }),
      'sequence-number': n + 1,
      'timestamp-ms': NOW_MS - (parents.length - 1 - n) * step_ms,
      'manifest-list': `memory://lake/${n}.avro`,
      summary: { operation: 'append' },
    };
  });
  const current = BigInt(main);
  return {
    'current-snapshot-id': current,
    refs: { main: { 'snapshot-id': current, type: 'branch' }, ...refs },
    snapshots,
    properties,
  } as unknown as TableMetadata;
}

const straight = (count: number) => Array.from({ length: count }, (_, n) => (n === 0 ? undefined : n - 1));
const RULES: ExpiryRules = {
  now_ms: NOW_MS,
  keep_ms: 10 * HOUR_MS,
  least: 2,
  most: 1_000,
  needed: [],
  alsoKept: [],
};
const numbers = (ids: readonly bigint[]) => ids.map(Number);

describe('on a straight line', () => {
  test('what is older than its time goes, and at least so many stay', () => {
    const ten = table(straight(13), { main: 12 });
    expect(numbers(expirable(ten, RULES))).toEqual([0, 1, 2]);
    expect(numbers(expirable(ten, { ...RULES, keep_ms: 0, least: 3 }))).toEqual([...Array(10).keys()]);
  });

  test('more than the most go before their time, but none that a query may still read', () => {
    const rules = { ...RULES, most: 5 };
    expect(numbers(expirable(table(straight(9), { main: 8 }), rules))).toEqual([0, 1, 2, 3]);
    const busy = table(straight(100), { main: 99, step_ms: READING_MS / 20 });
    expect(expirable(busy, rules)).toHaveLength(79);
    // Old, but it was the current one until a moment ago.
    const idle = table(straight(3), { main: 2, step_ms: 100 * HOUR_MS });
    const now_ms = NOW_MS + READING_MS - 1;
    expect(numbers(expirable(idle, { ...rules, least: 1, now_ms }))).toEqual([0]);
    expect(numbers(expirable(idle, { ...rules, least: 1, now_ms: now_ms + 1 }))).toEqual([0, 1]);
  });

  test('everything from what a consumer has read to now stays, without a hole', () => {
    const line = table(straight(20), { main: 19 });
    expect(numbers(expirable(line, { ...RULES, needed: [3n] }))).toEqual([0, 1, 2]);
    expect(numbers(expirable(line, { ...RULES, alsoKept: [3n] }))).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9]);
  });

  test('what tags name stays by itself, what a branch leads to stays with it', () => {
    const line = table([...straight(20), 3, 20], {
      main: 19,
      refs: {
        audit: { 'snapshot-id': 2n, type: 'tag' },
        try: { 'snapshot-id': 21n, type: 'branch' },
      },
    });
    const gone = numbers(expirable(line, { ...RULES, keep_ms: HOUR_MS / 2 }));
    expect(gone).not.toContain(2);
    expect(gone).not.toContain(20);
    expect(gone).toContain(1);
  });
});

test('what was rolled back stays for its time; the way from there to the line stays for a consumer', () => {
  // 0…5 rolled back to 2, then 6…19.
  const parents = [...straight(6), 2, ...Array.from({ length: 13 }, (_, i) => 6 + i)];
  const rolled = table(parents, { main: 19 });
  expect(numbers(expirable(rolled, RULES))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(numbers(expirable(rolled, { ...RULES, needed: [4n] }))).toEqual([0, 1, 5]);
});

test('the table’s own properties go before the settings', () => {
  const metadata = table(straight(5), {
    main: 4,
    properties: {
      'history.expire.max-snapshot-age-ms': '1000',
      'history.expire.min-snapshots-to-keep': '4',
    },
  });
  expect(withProperties(metadata, RULES)).toMatchObject({ keep_ms: 1_000, least: 4 });
  const odd = table(straight(5), { main: 4, properties: { 'history.expire.max-snapshot-age-ms': 'x' } });
  expect(withProperties(odd, RULES)).toMatchObject({ keep_ms: RULES.keep_ms, least: RULES.least });
});

test('whatever the history, nothing goes that main, a ref or a consumer needs', () => {
  const histories = fc
    .array(fc.nat(30), { minLength: 1, maxLength: 30 })
    .map((back) => back.map((by, n) => (n === 0 ? undefined : Math.max(0, n - 1 - (by % 4 === 0 ? by : 0)))));
  fc.assert(
    fc.property(histories, fc.nat(29), fc.nat(29), fc.nat(29), fc.nat(40), (parents, a, b, c, hours) => {
      const at = (n: number) => n % parents.length;
      const refs = { tag: { 'snapshot-id': BigInt(at(b)), type: 'tag' } };
      const metadata = table(parents, { main: at(a), refs });
      const needed = BigInt(at(c));
      const gone = new Set(
        expirable(metadata, { ...RULES, keep_ms: hours * HOUR_MS, least: 1, needed: [needed] }),
      );
      expect(gone.has(BigInt(at(a))) || gone.has(BigInt(at(b))) || gone.has(needed)).toBe(false);
      const left = { ...metadata, snapshots: metadata.snapshots.filter((s) => !gone.has(s['snapshot-id'])) };
      const common = (of: TableMetadata) => {
        const line = new Set(ancestors(of, BigInt(at(a))).snapshots.map((s) => s['snapshot-id']));
        return ancestors(of, needed).snapshots.find((s) => line.has(s['snapshot-id']))?.['snapshot-id'];
      };
      expect(common(left)).toBe(common(metadata));
    }),
  );
});
