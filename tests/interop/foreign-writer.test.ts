/** Another program writes to raw between our commits, and during one: its rows are counted, and we go on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { currentSnapshot } from '../../src/lake/lake.ts';
import { RAW_NAME, STAGING_NAME, snapshotFacts, tableState } from '../../src/tables/tables.ts';
import { uuidOf } from '../support/events.ts';
import { type Pyiceberg, startPyiceberg } from '../support/pyiceberg.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { PYICEBERG_WAYS, type Reached } from './catalog-ways.ts';
import { ASKED, conditionOf } from './questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');

interface Change {
  append?: readonly Record<string, unknown>[];
  delete?: readonly [column: string, value: string];
  deletePartition?: readonly [day: number, type: string];
  addColumn?: string;
  renameColumn?: readonly [from: string, to: string];
  /** All snapshots but the current one. */
  expire?: true;
}

interface Changed {
  operation: string;
  snapshots: number;
  columns: string[];
  /** Values by column, as it reads the table afterwards. */
  nonNull: Record<string, number>;
}

const CREATED_S = Date.UTC(2026, 0, 12) / 1000;

const row = (uuid: string, name: string) => ({
  ...{ event_uuid: uuid, event_name: name, event_type: name.split(':')[0], event_subtype: null },
  ...{ created_at: CREATED_S + 0.5, created_datetime: BigInt(CREATED_S) * 1_000_000n + 500_000n },
  document: JSON.stringify({ event_uuid: uuid, event_name: name, created_at: CREATED_S + 0.5 }),
});

const event = (n: number) => row(uuidOf(n), 'lesson:started');

describeWith(python, 'a program that writes to raw beside us', () => {
  let pyiceberg: Pyiceberg;
  beforeAll(() => {
    pyiceberg = startPyiceberg(python);
  });
  afterAll(() => pyiceberg?.stop());

  describe.each(PYICEBERG_WAYS)('by %s', (_, reach) => writesBesideUs({ pyiceberg: () => pyiceberg, reach }));
});

interface Writer {
  pyiceberg: () => Pyiceberg;
  reach: (written: WrittenLake) => Promise<Reached>;
}

function writesBesideUs({ pyiceberg, reach }: Writer) {
  let written: WrittenLake;
  let reached: Reached;
  beforeAll(async () => {
    written = await writeLake({ count: 600, seed: 2, commits: [400] });
    reached = await reach(written);
  });
  afterAll(async () => {
    await reached?.close();
    await written?.close();
  });

  const change = (change: Change): Promise<Changed> =>
    pyiceberg().change({ catalog: reached.pyiceberg, table: RAW_NAME, change });
  const state = async () => tableState(await written.table(RAW_NAME));
  const count = async (name: string, where = 'true') =>
    Number((await written.rows(name, 'count(*)', `where ${where}`))[0]![0]);
  const put = (...numbers: number[]) => written.stream.put(numbers.map((n) => event(n).document));
  /** That what the ledger says is there, and that both programs count the same rows in the same files. */
  async function expectSound() {
    const { ledger, foreignRows } = await state();
    expect(foreignRows).toBe(0);
    const rows = await count(RAW_NAME);
    expect(ledger.written - ledger.removed + ledger.foreign).toBe(rows);
    const raw = await written.table(RAW_NAME);
    expect(currentSnapshot(raw.metadata)!.summary['total-records']).toBe(String(rows));
    const names = raw.metadata.schemas
      .find((schema) => schema['schema-id'] === raw.metadata['current-schema-id'])!
      .fields.map(({ name }) => name);
    const filters = ASKED[RAW_NAME]!.questions.map(({ where }) => where).filter((where) =>
      where.every(({ column }) => names.includes(column)),
    );
    const seen = await pyiceberg().prune({ catalog: reached.pyiceberg, table: RAW_NAME, filters });
    for (const [i, where] of filters.entries()) {
      const { files, rows } = seen[i]!;
      const ours = (await written.lake.files(raw, { where })).files.map(({ location }) => location).sort();
      expect({ where, rows }).toEqual({ where, rows: await count(RAW_NAME, conditionOf(raw, where)) });
      // It does not say that its files hold no NaN, which our engine takes for greater than every number: we open them.
      const mayHoldNaN = where.some(({ column }) => column === 'created_at');
      expect({ where, files: mayHoldNaN ? ours.filter((f) => files.includes(f)) : ours }).toEqual({
        where,
        files,
      });
    }
  }

  test('appends: its rows are foreign, our next commit enters them, staging takes them', async () => {
    const before = await state();
    const held = written.events[0]!;
    const appended = [
      row('by hand 1', 'lesson:started'),
      row('by hand 2', 'a type/of "its" own:x'),
      row(held.uuid, held.name),
    ];
    expect(await change({ append: appended })).toMatchObject({ operation: 'append' });
    expect((await state()).foreignRows).toBe(3);
    expect((await state()).positions).toEqual(before.positions);

    put(1, 2);
    await written.run();
    expect((await state()).ledger.foreign).toBe(before.ledger.foreign + 3);
    expect(await count(STAGING_NAME, `event_uuid in ('by hand 1', 'by hand 2')`)).toBe(2);
    expect(await count(STAGING_NAME, `event_uuid = '${held.uuid}'`)).toBe(1);
    await expectSound();
  });

  test('appends while we commit: our commit is staged again on its snapshot', async () => {
    const before = await state();
    put(3, 4);
    written.stream.script.push({
      rows: 2,
      before: async () => {
        await change({ append: [row('during', 'lesson:started')] });
      },
    });
    await written.run();
    const snapshots = (await written.table(RAW_NAME)).metadata.snapshots.slice(-2);
    expect(snapshots.map((s) => snapshotFacts(s)?.ledger.written)).toEqual([undefined, 2]);
    expect((await state()).ledger.foreign).toBe(before.ledger.foreign + 1);
    expect(await count(STAGING_NAME, `event_uuid in ('during', '${event(3).event_uuid}')`)).toBe(2);
    await expectSound();
  });

  test('deletes whole files: its rows count as negative, and we go on', async () => {
    const rows = await count(RAW_NAME, `event_type = '100%'`);
    expect(rows).toBeGreaterThan(0);
    const before = await state();
    expect(await change({ delete: ['event_type', '100%'] })).toMatchObject({ operation: 'delete' });
    expect((await state()).foreignRows).toBe(-rows);

    put(5);
    await written.run();
    expect((await state()).ledger.foreign).toBe(before.ledger.foreign - rows);
    expect(await count(RAW_NAME, `event_type = '100%'`)).toBe(0);
    await expectSound();
  });

  test('deletes an event among others: sent again it is in raw again, and in staging once', async () => {
    put(6, 7);
    await written.run();
    const before = await state();
    const { event_uuid } = event(6);
    const { operation } = await change({ delete: ['event_uuid', event_uuid] });
    expect(operation).toMatch(/^(delete|overwrite)$/);
    expect((await state()).foreignRows).toBe(-1);

    put(6);
    await written.run();
    expect((await state()).ledger).toMatchObject({
      foreign: before.ledger.foreign - 1,
      written: before.ledger.written + 1,
    });
    expect(await count(RAW_NAME, `event_uuid = '${event_uuid}'`)).toBe(1);
    expect(await count(STAGING_NAME, `event_uuid = '${event_uuid}'`)).toBe(1);
    await expectSound();
  });

  /** Two new events and a repeat of the first, in two batches: each is in both tables once, and all adds up. */
  async function expectToGoOn(...[first, second]: [number, number]) {
    const before = await state();
    put(first, second, first);
    written.stream.script.push({ rows: 1 }, { rows: 2 });
    await written.run();
    const { ledger, foreignRows } = await state();
    expect(ledger).toMatchObject({
      written: before.ledger.written + 2,
      duplicate: before.ledger.duplicate + 1,
    });
    expect(foreignRows).toBe(0);
    const both = `event_uuid in ('${uuidOf(first)}', '${uuidOf(second)}')`;
    for (const name of [RAW_NAME, STAGING_NAME]) expect(await count(name, both)).toBe(2);
    await expectSound();
  }

  test('deletes a partition: its rows count as negative, and we go on', async () => {
    const day = Math.floor(CREATED_S / 86_400);
    const partition = `event_type = 'lesson' and epoch_us(created_datetime) // 86400000000 = ${day}`;
    const rows = await count(RAW_NAME, partition);
    expect(rows).toBeGreaterThan(3);
    const before = await state();
    expect(await change({ deletePartition: [day, 'lesson'] })).toMatchObject({
      operation: 'delete',
    });
    expect(await count(RAW_NAME, partition)).toBe(0);
    expect((await state()).foreignRows).toBe(-rows);
    await expectToGoOn(20, 21);
    expect((await state()).ledger.foreign).toBe(before.ledger.foreign - rows);
  });

  test('adds a column: files of ours lack it, those of others have it, and staging takes both', async () => {
    const rows = await count(RAW_NAME);
    expect((await change({ addColumn: 'note' })).columns).toContain('note');
    await expectToGoOn(22, 23);
    const noted = { ...row('with a note', 'lesson:started'), note: 'by hand' };
    expect((await change({ append: [noted] })).nonNull).toMatchObject({
      note: 1,
      event_uuid: rows + 3,
    });
    await expectToGoOn(24, 25);
    expect(await count(STAGING_NAME, `event_uuid = 'with a note'`)).toBe(1);
  });

  test('renames a column: it reads ours under the new name, and we go on under it too', async () => {
    const subtypes = await count(RAW_NAME, 'event_subtype is not null');
    const renamed = await change({ renameColumn: ['event_subtype', 'subtype'] });
    expect(renamed.columns).not.toContain('event_subtype');
    expect(renamed.nonNull['subtype']).toBe(subtypes);
    await expectToGoOn(26, 27);
    const back = await change({ renameColumn: ['subtype', 'event_subtype'] });
    expect(back.nonNull['event_subtype']).toBe(subtypes + 2);
    await expectToGoOn(28, 29);
  });

  test('expires snapshots, also our newest one: what we know of ourselves stays', async () => {
    const { foreignRows: _, ...before } = await state();
    expect(await change({ expire: true })).toMatchObject({ snapshots: 1 });
    expect(await state()).toEqual({ ...before, foreignRows: 0 });
    await expectToGoOn(30, 31);
    await change({ append: [row('before it expires', 'lesson:started')] });
    expect(await change({ expire: true })).toMatchObject({ snapshots: 1 });
    expect((await state()).foreignRows).toBe(1);
    await expectToGoOn(32, 33);
    expect(await count(STAGING_NAME, `event_uuid = 'before it expires'`)).toBe(1);
  });
}
