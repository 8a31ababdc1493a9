/** Another program changes the columns of our tables while we are at work on them: we go on, and it reads what we write. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failure } from '../../src/base/base.ts';
import { openQuery } from '../../src/query/query.ts';
import { RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import { uuidOf } from '../support/events.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');

/** Steps of one update_schema each, and a row that is then appended under the new names. */
interface Evolution {
  tables: Readonly<
    Record<string, { steps?: readonly Step[]; append?: Readonly<Record<string, unknown>>; read?: true }>
  >;
}

type Step = readonly [method: string, ...argumentsOf: unknown[]];

interface Seen {
  /** As the program reads it: rows, values by column, and the rows of every snapshot that has any. */
  [table: string]: { rows: number; nonNull: Record<string, number>; snapshots: [id: string, rows: number][] };
}

function evolve(written: WrittenLake, evolution: Evolution): Promise<Seen> {
  const input = { catalogPath: written.catalogPath, ...evolution };
  return python.run(join(import.meta.dirname, 'evolve_with_pyiceberg.py'), input);
}

const CREATED_S = Date.UTC(2026, 0, 12) / 1000;

const document = (n: number) =>
  JSON.stringify({ event_uuid: uuidOf(n), event_name: 'lesson:started', created_at: CREATED_S + 0.5 });

const RENAMED: readonly Step[] = [
  ['rename', 'event_uuid', 'id'],
  ['rename', 'event_type', 'kind'],
  ['rename', 'created_datetime', 'happened_at'],
  ['rename', 'document', 'payload'],
  ['widen', 'subsequence_number', 'long'],
  ['makeOptional', 'event_name'],
  ['moveFirst', 'arrived_at'],
];

const ADDED: readonly Step[] = [
  ['add', 'note', 'string'],
  ['add', 'score', 'float'],
  ['add', 'price', 'decimal(9, 2)'],
  ['add', 'place', { city: 'string' }],
  // Nothing keeps another program from taking a name that we gave up.
  ['add', 'document', 'int'],
];

const NESTED: readonly Step[] = [
  ['addNested', ['place', 'zip'], 'string'],
  ['widen', 'score', 'double'],
  ['widen', 'price', 'decimal(18, 2)'],
];

const FOREIGN = {
  ...{ id: 'by hand', event_name: 'lesson:started', kind: 'lesson', created_at: CREATED_S + 0.5 },
  ...{ happened_at: CREATED_S * 1e6 + 500_000, payload: document(900), subsequence_number: 7 },
};

describeWith(python, 'a program that changes our columns', () => {
  let written: WrittenLake;
  let before: Awaited<ReturnType<WrittenLake['table']>>;
  beforeAll(async () => {
    written = await writeLake({ count: 120, seed: 3, commits: [60] });
    before = await written.table(RAW_NAME);
  });
  afterAll(() => written?.close());

  const put = (...numbers: number[]) => written.stream.put(numbers.map(document));
  const count = async (sql: string) => {
    const { rows } = await openQuery(written).all(`select count(*) as n from ${sql}`);
    return Number(rows[0]!['n']);
  };

  test('renames, widens, moves, makes optional and adds: ingest, staging and questions go on', async () => {
    const own = [await count(RAW_NAME), await count(STAGING_NAME)] as const;
    const both = { steps: [...RENAMED, ...ADDED], append: { ...FOREIGN, note: 'a note', document: 5 } };
    await evolve(written, { tables: { [RAW_NAME]: both, [STAGING_NAME]: { steps: RENAMED } } });
    put(1, 2, 1);
    await written.run();
    put(2, 3);
    await written.run();
    expect((await tableState(await written.table(RAW_NAME))).ledger.foreign).toBe(1);
    expect(await count(RAW_NAME)).toBe(own[0] + 4);
    expect(await count(STAGING_NAME)).toBe(own[1] + 4);
    expect(await count(`${RAW_NAME} where kind = 'lesson' and id in ('${uuidOf(1)}', 'by hand')`)).toBe(2);
    expect(await count(`${STAGING_NAME} where payload is null or happened_at is null`)).toBe(0);
    // What is added in another program is null in what we write.
    expect(await count(`${RAW_NAME} where note is not null or document is not null`)).toBe(1);
    expect((await written.verify()).checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  test('adds inside a struct and widens what it added: it reads every row, and old snapshots', async () => {
    const rows = await count(RAW_NAME);
    await evolve(written, { tables: { [RAW_NAME]: { steps: NESTED } } });
    put(4);
    await written.run();
    const seen = await evolve(written, {
      tables: { [RAW_NAME]: { read: true }, [STAGING_NAME]: { read: true } },
    });
    expect(seen[RAW_NAME]).toMatchObject({
      rows: rows + 1,
      nonNull: { id: rows + 1, kind: rows + 1, payload: rows + 1, happened_at: rows + 1, note: 1, place: 0 },
    });
    expect(seen[STAGING_NAME]!.nonNull['payload']).toBe(seen[STAGING_NAME]!.rows);
    const old = before.metadata['current-snapshot-id']!;
    const { files } = await written.lake.files(await written.table(RAW_NAME), { snapshotId: old });
    const held = files.reduce((sum, file) => sum + file.recordCount, 0);
    expect(seen[RAW_NAME]!.snapshots).toContainEqual([String(old), held]);
  });

  test('requires a column of its own: nothing is written until it is optional', async () => {
    await evolve(written, { tables: { [RAW_NAME]: { steps: [['addRequired', 'must', 'string']] } } });
    put(5);
    const failure = (await written.run().catch((error: unknown) => error)) as Failure;
    expect(failure).toMatchObject({
      code: 'tables.column_required',
      message: `cannot write to ${RAW_NAME}: its column must is required`,
      hint: expect.stringContaining('DROP NOT NULL'),
    });
    await evolve(written, { tables: { [RAW_NAME]: { steps: [['makeOptional', 'must']] } } });
    await written.run();
    expect(await count(`${STAGING_NAME} where id = '${uuidOf(5)}'`)).toBe(1);
  });

  test('drops a column of ours: nothing is written, and the failure names it', async () => {
    await evolve(written, { tables: { [RAW_NAME]: { steps: [['drop', 'event_subtype']] } } });
    put(6);
    const failure = (await written.run().catch((error: unknown) => error)) as Failure;
    expect(failure).toMatchObject({
      code: 'tables.column_dropped',
      message: `cannot write to ${RAW_NAME}: its column event_subtype is gone`,
      hint: expect.stringMatching(/^make schema \d+ of the table the current one again/),
    });
  });
});
