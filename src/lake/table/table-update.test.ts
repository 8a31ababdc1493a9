import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SchemaField, Snapshot, TableMetadata, TableSchema } from './metadata.ts';
import { parseAnyMetadata, stringifyMetadata } from './metadata.ts';
import { type Requirement, unmetRequirement } from './requirements.ts';
import { tableFromUpdates } from './table-from-updates.ts';
import { applyUpdates, type Update } from './table-update.ts';

const NOW_MS = 1_000_000;

const column = (id: number, name: string, type: SchemaField['type'] = 'long'): SchemaField => ({
  id,
  name,
  type,
  required: false,
});

const schema = (...fields: SchemaField[]): TableSchema => ({ type: 'struct', 'schema-id': 0, fields });

const FIRST: Update[] = [
  { action: 'assign-uuid', uuid: '0198c0de-0000-7000-8000-000000000001' },
  { action: 'add-schema', schema: schema(column(1, 'id'), column(2, 'kind', 'string')) },
  { action: 'set-current-schema', 'schema-id': -1 },
  { action: 'add-spec', spec: { fields: [{ name: 'kind', transform: 'identity', 'source-id': 2 }] } },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'add-sort-order', 'sort-order': { fields: [] } },
  { action: 'set-default-sort-order', 'sort-order-id': -1 },
  { action: 'set-location', location: 'memory://lake/t' },
];

const made = (...more: Update[]) => tableFromUpdates([...FIRST, ...more], { uuid: 'none', now_ms: NOW_MS });
const TABLE = made();

const changed = (base: TableMetadata, ...updates: Update[]) =>
  applyUpdates(base, updates, { now_ms: NOW_MS });

const snapshot = (id: bigint, { number = 1, parent, time_ms = NOW_MS }: SnapshotOptions = {}): Snapshot => ({
  'snapshot-id': id,
  ...(parent !== undefined && { 'parent-snapshot-id': parent }),
  'sequence-number': number,
  'timestamp-ms': time_ms,
  'manifest-list': `list ${id}`,
  summary: { operation: 'append' },
});

interface SnapshotOptions {
  number?: number;
  parent?: bigint;
  time_ms?: number;
}

const add = (id: bigint, options?: SnapshotOptions): Update => ({
  action: 'add-snapshot',
  snapshot: snapshot(id, options),
});
const main = (id: bigint): Update => ({
  action: 'set-snapshot-ref',
  'ref-name': 'main',
  type: 'branch',
  'snapshot-id': id,
});
const logOf = (metadata: TableMetadata) => metadata['snapshot-log'].map((entry) => entry['snapshot-id']);
/** Three snapshots, one after the other. */
const three = () =>
  [2n, 3n].reduce(
    (base, id) => changed(base, add(id, { number: Number(id), parent: id - 1n }), main(id)),
    changed(TABLE, add(1n), main(1n)),
  );

describe('a table made by updates', () => {
  test('has what they say, numbered as a new table’s parts are', () => {
    expect(TABLE).toMatchObject({
      'format-version': 2,
      'table-uuid': '0198c0de-0000-7000-8000-000000000001',
      location: 'memory://lake/t',
      'last-column-id': 2,
      'current-schema-id': 0,
      'default-spec-id': 0,
      'last-partition-id': 1000,
      'default-sort-order-id': 0,
      'current-snapshot-id': null,
    });
  });

  test.each(['add-schema', 'add-spec', 'add-sort-order', 'set-location'])('needs %s', (action) => {
    const rest = FIRST.filter((update) => update.action !== action);
    expect(() => tableFromUpdates(rest, { uuid: 'u', now_ms: 0 })).toThrow(
      expect.objectContaining({ code: 'lake.bad_update' }),
    );
  });
});

describe('updates that change nothing', () => {
  test.each<Update>([
    { action: 'assign-uuid', uuid: TABLE['table-uuid'] },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'add-schema', schema: schema(column(1, 'id'), column(2, 'kind', 'string')) },
    { action: 'set-current-schema', 'schema-id': 0 },
    { action: 'remove-schemas', 'schema-ids': [7] },
    { action: 'add-spec', spec: { fields: [{ name: 'kind', transform: 'identity', 'source-id': 2 }] } },
    { action: 'set-default-spec', 'spec-id': 0 },
    { action: 'remove-partition-specs', 'spec-ids': [7] },
    { action: 'add-sort-order', 'sort-order': { fields: [] } },
    { action: 'set-default-sort-order', 'sort-order-id': 0 },
    { action: 'remove-snapshot-ref', 'ref-name': 'nothing' },
    { action: 'remove-snapshots', 'snapshot-ids': [7n] },
    { action: 'set-location', location: TABLE.location },
    { action: 'set-properties', updates: {} },
    { action: 'remove-properties', removals: ['nothing'] },
    { action: 'remove-statistics', 'snapshot-id': 7n },
    { action: 'remove-partition-statistics', 'snapshot-id': 7n },
  ])('give the very same version: $action', (update) => {
    expect(changed(TABLE, update)).toBe(TABLE);
  });
});

describe('schemas', () => {
  const wider = schema(column(1, 'id'), column(2, 'kind', 'string'), column(3, 'size', 'int'));

  test('are added, and made the current one by -1', () => {
    const next = changed(
      TABLE,
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', 'schema-id': -1 },
    );
    expect(next).toMatchObject({ 'current-schema-id': 1, 'last-column-id': 3 });
    expect(next.schemas.map((each) => each['schema-id'])).toEqual([0, 1]);
  });

  test('that are there already are used again, under their own id', () => {
    const two = changed(
      TABLE,
      { action: 'add-schema', schema: wider },
      { action: 'set-current-schema', 'schema-id': -1 },
    );
    const back = changed(
      two,
      { action: 'add-schema', schema: { ...TABLE.schemas[0]!, 'schema-id': 99 } },
      { action: 'set-current-schema', 'schema-id': -1 },
    );
    expect(back['current-schema-id']).toBe(0);
    expect(back.schemas).toHaveLength(2);
  });

  test('count the ids of nested columns too', () => {
    const nested = column(3, 'places', {
      type: 'list',
      'element-id': 4,
      'element-required': false,
      element: { type: 'struct', fields: [{ id: 9, name: 'city', type: 'string', required: false }] },
    });
    const next = changed(TABLE, { action: 'add-schema', schema: schema(column(1, 'id'), nested) });
    expect(next['last-column-id']).toBe(9);
  });

  test('are removed, but not the current one', () => {
    const two = changed(TABLE, { action: 'add-schema', schema: wider });
    expect(changed(two, { action: 'remove-schemas', 'schema-ids': [1] }).schemas).toHaveLength(1);
    expect(() => changed(two, { action: 'remove-schemas', 'schema-ids': [0] })).toThrow('cannot apply');
  });

  test('keep the columns that the partitions are made of', () => {
    const without = { action: 'add-schema', schema: schema(column(1, 'id')) } as const;
    const use = { action: 'set-current-schema', 'schema-id': -1 } as const;
    expect(() => changed(TABLE, without, use)).toThrow(
      expect.objectContaining({ why: expect.stringContaining('Cannot find source column') }),
    );
    const noPartitions: Update[] = [
      { action: 'add-spec', spec: { fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    ];
    expect(changed(TABLE, ...noPartitions, without, use)['current-schema-id']).toBe(1);
  });

  test.each<[string, TableSchema]>([
    ['an id twice', schema(column(1, 'a'), column(1, 'b'))],
    ['a name twice', schema(column(1, 'a'), column(2, 'a'))],
    ['an unknown type', schema(column(1, 'a', 'text'))],
    ['a type of version 3', schema(column(1, 'a', 'variant'))],
    ['a default of version 3', schema({ ...column(1, 'a'), 'initial-default': 5 } as SchemaField)],
    ['an optional identifier', { ...schema(column(1, 'a')), 'identifier-field-ids': [1] }],
  ])('with %s are refused', (_what, bad) => {
    expect(() => changed(TABLE, { action: 'add-schema', schema: bad })).toThrow(
      expect.objectContaining({ code: 'lake.bad_update' }),
    );
  });
});

describe('partition specs', () => {
  const byBucket = { name: 'id_bucket', transform: 'bucket[16]', 'source-id': 1 };

  test('get ids for their fields that no other field ever had', () => {
    const next = changed(
      TABLE,
      { action: 'add-spec', spec: { fields: [byBucket] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    );
    expect(next['partition-specs'][1]).toEqual({ 'spec-id': 1, fields: [{ ...byBucket, 'field-id': 1001 }] });
    expect(next).toMatchObject({ 'default-spec-id': 1, 'last-partition-id': 1001 });
  });

  test('give a field the id that it had in an older spec', () => {
    const renamed = { name: 'kind_2', transform: 'identity', 'source-id': 2 };
    const next = changed(TABLE, { action: 'add-spec', spec: { fields: [byBucket, renamed] } });
    expect(next['partition-specs'][1]?.fields.map((field) => field['field-id'])).toEqual([1001, 1000]);
  });

  test('are removed, but not the default one', () => {
    const two = changed(TABLE, { action: 'add-spec', spec: { fields: [byBucket] } });
    expect(
      changed(two, { action: 'remove-partition-specs', 'spec-ids': [1] })['partition-specs'],
    ).toHaveLength(1);
    expect(() => changed(two, { action: 'remove-partition-specs', 'spec-ids': [0] })).toThrow('cannot apply');
  });

  test.each([
    ['a column that is not there', { ...byBucket, 'source-id': 9 }],
    ['an unknown transform', { ...byBucket, transform: 'week' }],
    ['the name of another column', { ...byBucket, name: 'kind' }],
  ])('with %s are refused', (_what, field) => {
    expect(() => changed(TABLE, { action: 'add-spec', spec: { fields: [field] } })).toThrow('cannot apply');
  });
});

describe('sort orders', () => {
  const byId = { transform: 'identity', 'source-id': 1, direction: 'asc', 'null-order': 'nulls-first' };

  test('are numbered from 1, and used again', () => {
    const add: Update = { action: 'add-sort-order', 'sort-order': { fields: [byId] } };
    const next = changed(TABLE, add, { action: 'set-default-sort-order', 'sort-order-id': -1 });
    expect(next['default-sort-order-id']).toBe(1);
    expect(changed(next, add)).toBe(next);
  });

  test.each([
    { ...byId, 'source-id': 9 },
    { ...byId, transform: 'week' },
    { ...byId, direction: 'up' },
    { ...byId, 'null-order': 'none' },
  ])('that make no sense are refused: $transform $direction $source-id', (field) => {
    expect(() => changed(TABLE, { action: 'add-sort-order', 'sort-order': { fields: [field] } })).toThrow(
      'cannot apply',
    );
  });
});

describe('-1', () => {
  test.each<Update>([
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
  ])('means nothing where nothing was added: $action', (update) => {
    expect(() => changed(TABLE, update)).toThrow(expect.objectContaining({ code: 'lake.bad_update' }));
  });
});

describe('snapshots', () => {
  test('of an older version are stale, not wrong: made anew they may go in', () => {
    expect(() => changed(three(), add(9n, { number: 3, parent: 3n }))).toThrow(
      expect.objectContaining({ code: 'lake.stale_update', retry: 'refresh' }),
    );
    expect(() => changed(three(), add(3n, { number: 4, parent: 3n }))).toThrow(
      expect.objectContaining({ code: 'lake.bad_update' }),
    );
  });

  test('that main only passes through are not in its log', () => {
    const next = changed(TABLE, add(1n), main(1n), add(2n, { number: 2, parent: 1n }), main(2n));
    expect(next.snapshots).toHaveLength(2);
    expect(logOf(next)).toEqual([2n]);
  });

  test('that main goes back to are in its log again, at the time of the change', () => {
    const back = applyUpdates(three(), [main(1n)], { now_ms: NOW_MS + 5 });
    expect(logOf(back)).toEqual([1n, 2n, 3n, 1n]);
    expect(back['snapshot-log'].at(-1)?.['timestamp-ms']).toBe(NOW_MS + 5);
    expect(back['current-snapshot-id']).toBe(1n);
  });

  test('of a writer whose clock is behind do not turn back the times of the log', () => {
    const late = changed(three(), add(4n, { number: 4, parent: 3n, time_ms: 5 }), main(4n));
    expect(late['snapshot-log'].at(-1)).toEqual({ 'timestamp-ms': NOW_MS, 'snapshot-id': 4n });
    expect(late['last-updated-ms']).toBe(NOW_MS);
  });

  test('take their refs and statistics with them', () => {
    const statistics = { 'snapshot-id': 1n, 'statistics-path': 'there' };
    const full = changed(
      three(),
      { action: 'set-snapshot-ref', 'ref-name': 'release', type: 'tag', 'snapshot-id': 1n },
      { action: 'set-statistics', statistics },
      { action: 'set-partition-statistics', 'partition-statistics': { ...statistics, 'snapshot-id': 2 } },
    );
    const less = changed(full, { action: 'remove-snapshots', 'snapshot-ids': [1n, 2n] });
    expect(less.snapshots.map((each) => each['snapshot-id'])).toEqual([3n]);
    expect(Object.keys(less.refs)).toEqual(['main']);
    expect(less).toMatchObject({ statistics: [], 'partition-statistics': [], 'current-snapshot-id': 3n });
    expect(logOf(less)).toEqual([3n]);
    expect(changed(less, { action: 'remove-snapshots', 'snapshot-ids': [3n] })).toMatchObject({
      'current-snapshot-id': null,
      refs: {},
    });
  });

  test('are named by refs that are set whole: what one does not say is no longer set', () => {
    const kept = changed(three(), {
      ...{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 3n },
      'min-snapshots-to-keep': 5,
    } as Update);
    expect(kept.refs['main']).toMatchObject({ 'min-snapshots-to-keep': 5 });
    expect(logOf(kept)).toEqual([1n, 2n, 3n]);
    expect(changed(kept, main(3n)).refs['main']).toEqual({ type: 'branch', 'snapshot-id': 3n });
  });

  test.each<Update>([
    { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'tag', 'snapshot-id': 1n },
    { action: 'set-snapshot-ref', 'ref-name': 'audit', type: 'branch', 'snapshot-id': 9n },
  ])('cannot be named so: $ref-name $type', (update) => {
    expect(() => changed(three(), update)).toThrow('cannot apply');
  });

  test('leave main without one when its ref is removed', () => {
    const none = changed(three(), { action: 'remove-snapshot-ref', 'ref-name': 'main' });
    expect(none).toMatchObject({ 'current-snapshot-id': null, refs: {} });
    expect(none.snapshots).toHaveLength(3);
  });

  test('of version 3 count the rows', () => {
    const v3 = changed(TABLE, { action: 'upgrade-format-version', 'format-version': 3 });
    expect(v3['next-row-id']).toBe(0);
    const numbered = (id: bigint, first: number): Update => ({
      action: 'add-snapshot',
      snapshot: { ...snapshot(id, { number: Number(id) }), 'first-row-id': first, 'added-rows': 10 },
    });
    const next = changed(v3, numbered(1n, 0));
    expect(next['next-row-id']).toBe(10);
    expect(() => changed(next, numbered(2n, 5))).toThrow(
      expect.objectContaining({ code: 'lake.stale_update' }),
    );
    expect(() => changed(next, add(2n, { number: 2 }))).toThrow(
      expect.objectContaining({ code: 'lake.bad_update' }),
    );
  });
});

describe('statistics', () => {
  test('are one file a snapshot, whatever number its id was read as', () => {
    const of = (id: bigint | number, path: string): Update => ({
      action: 'set-statistics',
      statistics: { 'snapshot-id': id, 'statistics-path': path } as { 'snapshot-id': bigint },
    });
    const twice = changed(three(), of(1, 'a'), of(2n, 'b'), of(1n, 'c'));
    expect(twice.statistics).toEqual([
      { 'snapshot-id': 2n, 'statistics-path': 'b' },
      { 'snapshot-id': 1n, 'statistics-path': 'c' },
    ]);
    expect(changed(twice, { action: 'remove-statistics', 'snapshot-id': 1n }).statistics).toHaveLength(1);
  });
});

describe('format versions', () => {
  test('only go up', () => {
    expect(() => changed(TABLE, { action: 'upgrade-format-version', 'format-version': 1 })).toThrow('cannot');
    expect(() => changed(TABLE, { action: 'upgrade-format-version', 'format-version': 4 })).toThrow('cannot');
  });

  test.each([1, 2, 3])('%i is read back as it was written', (version) => {
    const table = made({ action: 'upgrade-format-version', 'format-version': version });
    expect(parseAnyMetadata(stringifyMetadata(table), 'there')).toEqual(table);
  });

  test('1 is written with what its readers look for, and read without what came later', () => {
    const table = made({ action: 'upgrade-format-version', 'format-version': 1 });
    const text = stringifyMetadata(changed(table, add(1n, { number: 0 }), main(1n)));
    const json = JSON.parse(text) as Record<string, unknown>;
    expect(json).toMatchObject({ schema: { fields: [{ name: 'id' }, { name: 'kind' }] } });
    expect(json['partition-spec']).toEqual([
      { name: 'kind', transform: 'identity', 'source-id': 2, 'field-id': 1000 },
    ]);
    expect(text).not.toContain('sequence-number');
    for (const later of ['schemas', 'partition-specs', 'sort-orders', 'refs', 'last-partition-id'])
      delete json[later];
    const read = parseAnyMetadata(JSON.stringify(json), 'there');
    expect(read).toMatchObject({
      schemas: [{ 'schema-id': 0 }],
      'partition-specs': [{ 'spec-id': 0 }],
      'sort-orders': [{ 'order-id': 0 }],
      'last-partition-id': 1000,
      refs: { main: { 'snapshot-id': 1n } },
    });
  });
});

describe('requirements', () => {
  const base = changed(three(), {
    action: 'set-snapshot-ref',
    'ref-name': 'v1',
    type: 'tag',
    'snapshot-id': 1n,
  });
  const met: Requirement[] = [
    { type: 'assert-table-uuid', uuid: TABLE['table-uuid'].toUpperCase() },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 3n },
    { type: 'assert-ref-snapshot-id', ref: 'new', 'snapshot-id': null },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
    { type: 'assert-current-schema-id', 'current-schema-id': 0 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1000 },
    { type: 'assert-default-spec-id', 'default-spec-id': 0 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
  ];

  test('that hold are met', () => {
    expect(unmetRequirement(base, met)).toBeUndefined();
    expect(unmetRequirement(undefined, [{ type: 'assert-create' }])).toBeUndefined();
  });

  test.each<Requirement>([
    { type: 'assert-create' },
    { type: 'assert-table-uuid', uuid: 'another' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 2n },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
    { type: 'assert-ref-snapshot-id', ref: 'v1', 'snapshot-id': null },
    { type: 'assert-ref-snapshot-id', ref: 'new', 'snapshot-id': 3n },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 1 },
    { type: 'assert-current-schema-id', 'current-schema-id': 1 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
    { type: 'assert-default-spec-id', 'default-spec-id': 1 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 1 },
  ])('that do not are named: $type', (requirement) => {
    expect(unmetRequirement(base, [...met, requirement])).toMatch(/^Requirement failed: /);
  });

  test('of a table that is not there are never met, but for its absence', () => {
    for (const requirement of met) expect(unmetRequirement(undefined, [requirement])).toBeDefined();
  });
});

test('times and sequence numbers never go back, whatever is done to a table', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), time_ms: fc.nat(2 * NOW_MS) }),
    fc.record({ kind: fc.constant('rollback' as const), to: fc.nat(20) }),
    fc.record({ kind: fc.constant('expire' as const), which: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.array(fc.nat(2 * NOW_MS)), (steps, clock) => {
      let table = TABLE;
      for (const [at, what] of steps.entries()) {
        const before = table;
        const ids = table.snapshots.map((each) => each['snapshot-id']);
        const number = table['last-sequence-number'] + 1;
        const parent = table['current-snapshot-id'] ?? undefined;
        const id = BigInt(at + 1);
        const old =
          ids[(what.kind === 'rollback' ? what.to : what.kind === 'expire' ? what.which : 0) % ids.length];
        const options = {
          number,
          time_ms: what.kind === 'append' ? what.time_ms : 0,
          ...(parent && { parent }),
        };
        const updates: Update[] =
          what.kind === 'append'
            ? [add(id, options), main(id)]
            : old === undefined || (what.kind === 'expire' && old === parent)
              ? []
              : what.kind === 'rollback'
                ? [main(old)]
                : [{ action: 'remove-snapshots', 'snapshot-ids': [old] }];
        table = applyUpdates(table, updates, { now_ms: clock[at % Math.max(clock.length, 1)] ?? 0 });
        expect(table['last-updated-ms']).toBeGreaterThanOrEqual(before['last-updated-ms']);
        const times = table['snapshot-log'].map((entry) => entry['timestamp-ms']);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(table['last-sequence-number']).toBeGreaterThanOrEqual(before['last-sequence-number']);
        if (table['current-snapshot-id'] !== null)
          expect(logOf(table).at(-1)).toBe(table['current-snapshot-id']);
      }
    }),
  );
});
