import { describe, expect, test } from 'vitest';
import { audit, rows, WHOLE } from '../../tests/support/audit.ts';
import { editTable, loaded } from '../../tests/support/edited-table.ts';
import { event, events } from '../../tests/support/events.ts';
import { aged, DAY_MS, maintenanceOf } from '../../tests/support/maintainer.ts';
import { commit, rawLake } from '../../tests/support/raw-commits.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { movedClock } from '../../tests/support/small-lake.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { openQuery } from '../query/query.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, tableState } from '../tables/tables.ts';
import { type MaintenanceOptions, type MaintenanceRules, maintain } from './maintenance.ts';

interface Setup {
  worker: Worker;
  stream: ScriptedStream;
  folder: string;
  /** Puts these and takes them, a commit each. */
  take(...batches: readonly (readonly string[])[]): Promise<void>;
  options(rules?: Partial<MaintenanceRules>): MaintenanceOptions;
  run(rules?: Partial<MaintenanceRules>, dryRun?: true): ReturnType<typeof maintain>;
}

async function setup(): Promise<Setup> {
  const stream = new ScriptedStream();
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream });
  const options = (rules = {}) => maintenanceOf(worker, { folder, rules });
  return {
    worker,
    stream,
    folder,
    options,
    run: (rules, dryRun) => maintain(options(rules), { dryRun: dryRun ?? false }),
    async take(...batches) {
      for (const batch of batches) {
        stream.put(batch);
        stream.script.push({ rows: batch.length });
      }
      await worker.process();
    },
  };
}

/** Numbers n, n+1, … as single events, a commit each. */
const singly = (from: number, count: number) => Array.from({ length: count }, (_, i) => [event(from + i)]);
const filesOf = async ({ lake }: Worker, name: string) => (await lake.files(await loaded(lake, name))).files;
const documents = async (worker: Worker, name: string) =>
  (await rows(worker, name, 'document', 'order by 1')).flat();

describe('compaction', () => {
  test('makes one file of many small ones, with the same rows, and staging reads none of them again', async () => {
    const { worker, stream, take, run } = await setup();
    await take(...singly(1, 6));
    await worker.stage();
    await take(...singly(7, 2));
    const before = await documents(worker, RAW_NAME);
    const [raw] = await run();
    expect(raw!.work).toMatchObject([{ action: 'compact', count: 6, into: 1, rows: 6, result: 'done' }]);
    expect(raw!.left).toEqual(['2 files wait until their consumers have read them']);
    expect((await filesOf(worker, RAW_NAME)).map((file) => file.recordCount).sort()).toEqual([1, 1, 6]);
    expect(await documents(worker, RAW_NAME)).toEqual(before);
    expect(await worker.stage()).toMatchObject({ received: 2, written: 2, duplicate: 0 });
    expect(await worker.stage()).toMatchObject({ received: 0, commits: 0 });
    await take(...singly(9, 1));
    await worker.stage();
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('waits for staging where staging has never run', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 8));
    const [raw] = await run();
    expect(raw).toMatchObject({ work: [], left: ['8 files wait until their consumers have read them'] });
    expect(await filesOf(worker, RAW_NAME)).toHaveLength(8);
  });

  test('of staging keeps its files sorted, and its dedupe exact', async () => {
    const { worker, stream, take, run } = await setup();
    for (let n = 1; n <= 5; n++) {
      await take([event(n), event(n + 100)]);
      await worker.stage();
    }
    await run();
    const [file, ...others] = await filesOf(worker, STAGING_NAME);
    expect(others).toEqual([]);
    expect(file).toMatchObject({ recordCount: 10, sortOrderId: 1 });
    stream.put(Array.from({ length: 5 }, (_, i) => event(i + 1, { note: 'again' })));
    await worker.process({ watermark_s: 0 });
    expect((await worker.stage()).written).toBe(0);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('of quarantine keeps every record', async () => {
    const { worker, stream, take, run } = await setup();
    await take(['bad 1'], ['bad 2'], ['bad 3'], ['bad 4'], [event(1)]);
    await worker.stage();
    await run();
    expect(await filesOf(worker, QUARANTINE_NAME)).toHaveLength(1);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('that fails for one partition goes on with the others', async () => {
    const { worker, take, run } = await setup();
    const other = (n: number) => event(n).replace('lesson:', 'account:');
    await take(...Array.from({ length: 5 }, (_, n) => [event(n), other(n + 50)]));
    await worker.stage();
    const [victim] = await filesOf(worker, RAW_NAME);
    await worker.lake.store.write(victim!.location, Buffer.from('no Parquet'));
    const [raw] = await run();
    expect(raw!.work.map(({ action, result, count }) => ({ action, result, count }))).toEqual([
      { action: 'compact', result: 'failed', count: 5 },
      { action: 'compact', result: 'done', count: 5 },
    ]);
    expect(await filesOf(worker, RAW_NAME)).toHaveLength(6);
  });

  test('of a table with too many files to plan at once looks at its newer days', async () => {
    const { worker, take, run } = await setup();
    const old = { created_at: Date.UTC(2025, 10, 1) / 1000 };
    await take(...singly(1, 5));
    for (let n = 1; n <= 5; n++) await take([event(n + 50, old)]);
    await worker.stage();
    const [raw] = await run({ plannedMost: 9 });
    expect(raw).toMatchObject({
      work: [{ action: 'compact', count: 5, into: 1 }],
      left: ['of 10 files only those of the last 35 days were looked at'],
    });
    expect((await run({ plannedMost: 6 }))[0]!.work).toMatchObject([{ action: 'compact', count: 5 }]);
  });

  const NOTE = { id: 13, name: 'note', type: 'string', required: false };
  const PLACE = { ...NOTE, name: 'place', type: { type: 'struct', fields: [{ ...NOTE, id: 14 }] } };

  test('of a table whose columns another program renamed, widened and added keeps every one of them', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 6));
    await worker.stage();
    await editTable(worker, RAW_NAME, (metadata) => {
      const [schema] = metadata.schemas;
      const fields = schema!.fields.map((field) =>
        field.id === 4 ? { ...field, name: 'renamed' } : field.id === 11 ? { ...field, type: 'long' } : field,
      );
      metadata.schemas = [{ ...schema!, fields: [...fields, NOTE] }];
      metadata['last-column-id'] = 13;
    });
    expect((await run())[0]!.work).toMatchObject([{ action: 'compact', count: 6, result: 'done' }]);
    const { rows } = await openQuery(worker).all(
      'select count(*) as n, count(renamed) as renamed, typeof(any_value(subsequence_number)) as wide, count(note) as note from raw.events',
    );
    expect(rows).toEqual([{ n: 6, renamed: 6, wide: 'BIGINT', note: 0 }]);
  });

  test('of a table with a column that cannot be written here does not happen', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 6));
    await worker.stage();
    await editTable(worker, RAW_NAME, (metadata) => {
      const [schema] = metadata.schemas;
      metadata.schemas = [{ ...schema!, fields: [...schema!.fields, PLACE] }];
      metadata['last-column-id'] = 14;
    });
    expect((await run())[0]).toMatchObject({
      work: [],
      left: ['no file is compacted: another program added the column place of a nested type'],
    });
  });

  test('makes files as large as the table’s own property has it', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 6));
    await worker.stage();
    await editTable(worker, RAW_NAME, (metadata) => {
      metadata.properties = { ...metadata.properties, 'write.target-file-size-bytes': '1' };
    });
    // Every file is larger than that already.
    expect((await run())[0]!.work).toEqual([]);
  });
});

test('with gc.enabled set to false no snapshot goes and no file, and the report says so', async () => {
  const { worker, take, run } = await setup();
  await take(...singly(1, 20));
  await worker.stage();
  await run();
  await take([event(21)]);
  await worker.stage();
  worker.clock.advance(6 * DAY_MS);
  await editTable(worker, RAW_NAME, (metadata) => {
    metadata.properties = { ...metadata.properties, 'gc.enabled': 'false' };
  });
  const rules = { snapshotsLeast: 1 };
  const [raw] = await run(rules, true);
  expect(raw!.work.map(({ action }) => action)).not.toContain('expire snapshots');
  expect(raw!.left).toContain(
    'no snapshot is expired and no file removed: the table property gc.enabled is false',
  );
  await editTable(worker, RAW_NAME, (metadata) => {
    metadata.properties = { ...metadata.properties, 'gc.enabled': 'true' };
    metadata.refs = { ...metadata.refs, main: { ...metadata.refs['main']!, 'min-snapshots-to-keep': 1_000 } };
  });
  expect((await run(rules, true))[0]!.work.map(({ action }) => action)).not.toContain('expire snapshots');
  await editTable(worker, RAW_NAME, (metadata) => {
    const { 'min-snapshots-to-keep': _, ...main } = metadata.refs['main']!;
    metadata.refs = { ...metadata.refs, main };
  });
  expect((await run(rules, true))[0]!.work.map(({ action }) => action)).toContain('expire snapshots');
});

test('manifests of many commits are merged, and files keep their numbers', async () => {
  const { lake } = await rawLake();
  let table = await loaded(lake, RAW_NAME);
  for (let n = 0; n < 52; n++) table = await commit(lake, { rows: n + 1 });
  const numbered = async () =>
    (await lake.files(table)).files.map(({ location, sequenceNumber }) => [location, sequenceNumber]);
  const before = await numbered();
  const clock = movedClock(table.metadata['last-updated-ms']);
  const options = maintenanceOf({ lake, clock } as never, { folder: '' });
  const [report] = await maintain(options, { tables: [RAW_NAME], dryRun: false });
  expect(report!.work).toMatchObject([{ action: 'merge manifests', count: 52, into: 1, result: 'done' }]);
  table = await loaded(lake, RAW_NAME);
  expect(await numbered()).toEqual(before);
  expect((await lake.files(table)).manifests.listed).toBe(1);
});

describe('a dry run', () => {
  test('says what would be done and does nothing', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 6));
    await worker.stage();
    const before = await loaded(worker.lake, RAW_NAME);
    const [raw] = await run({}, true);
    expect(raw!.work).toMatchObject([{ action: 'compact', count: 6, into: 1, result: 'planned' }]);
    expect((await loaded(worker.lake, RAW_NAME)).metadataLocation).toBe(before.metadataLocation);
  });
});

describe('expiry', () => {
  test('forgets old snapshots and deletes what only they needed; nothing is read again', async () => {
    const { worker, stream, take, run } = await setup();
    await take(...singly(1, 20));
    await worker.stage();
    await run();
    // What staging has read of raw is the last snapshot that it needs.
    await take([event(21)]);
    await worker.stage();
    const held = await filesOf(worker, RAW_NAME);
    worker.clock.advance(6 * DAY_MS);
    const [raw] = await run({ snapshotsLeast: 1 });
    expect(raw!.work.map(({ action, result }) => [action, result])).toEqual([['expire snapshots', 'done']]);
    const after = await loaded(worker.lake, RAW_NAME);
    expect(after.metadata.snapshots.length).toBeLessThan(6);
    expect(await filesOf(worker, RAW_NAME)).toEqual(held);
    const stored: string[] = [];
    for await (const { location } of worker.lake.store.list(`${after.metadata.location}/data/`))
      stored.push(location);
    expect(stored.sort()).toEqual(held.map(({ location }) => location).sort());
    expect(await worker.stage()).toMatchObject({ received: 0 });
    await take([event(22)]);
    expect(await worker.stage()).toMatchObject({ received: 1, written: 1 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });

  test('keeps the history that staging has not read, and lets go of it when it lags too far', async () => {
    const { worker, stream, take, run } = await setup();
    await take([event(1)]);
    await worker.stage();
    await take(...singly(2, 20));
    worker.clock.advance(6 * DAY_MS);
    await run();
    const pointer = tableState(await loaded(worker.lake, STAGING_NAME)).consumed[RAW_NAME]!;
    const ids = async () =>
      (await loaded(worker.lake, RAW_NAME)).metadata.snapshots.map((each) => each['snapshot-id']);
    expect(await ids()).toContain(pointer.snapshot);
    worker.clock.advance(2 * DAY_MS);
    await run();
    expect(await ids()).not.toContain(pointer.snapshot);
    expect(await worker.stage()).toMatchObject({ received: 21, written: 20, duplicate: 1 });
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});

describe('orphans', () => {
  test('go after three days; what waits to be adopted, and what is young, stays', async () => {
    const { worker, stream, folder } = await setup();
    stream.put(['bad 1', ...events(1), 'bad 2']);
    // As a processor that dies right after its commit: what it rejected waits in raw.
    await worker.process({ adopt: async () => -1 });
    const locations = await Promise.all(
      ['raw.events' as const].map(async (name) => (await loaded(worker.lake, name)).metadata.location),
    );
    const strays = [...locations, `${worker.lake.store.root}/quarantine/events`].map(
      (location) => `${location}/data/stray.parquet`,
    );
    for (const stray of strays) await worker.lake.store.write(stray, Buffer.from('x'));
    const there = async () =>
      (await Promise.all(strays.map((stray) => worker.lake.store.head(stray)))).filter(Boolean).length;
    await maintain(maintenanceOf(worker, { folder }), { dryRun: false });
    expect(await there()).toBe(2);

    const later = await openWorker({ folder, stream, engine: worker.engine, wrapStore: aged });
    const options = maintenanceOf(later, { folder });
    // What is only planned is told by our clock: here the disk's.
    const { modifiedAt_ms } = (await later.lake.store.head(strays[0]!))!;
    later.clock.advance(modifiedAt_ms - later.clock.now());
    const planned = await maintain(options, { dryRun: true });
    expect(planned.flatMap(({ work }) => work.map(({ action, count }) => [action, count]))).toEqual([
      ['remove orphans', 1],
      ['remove orphans', 1],
    ]);
    expect(await there()).toBe(2);
    await maintain(options, { dryRun: false });
    expect(await there()).toBe(0);
    await later.adopt();
    await later.stage();
    expect(await audit(later, stream)).toEqual(WHOLE);
  });
});

describe('raw.retention', () => {
  test('drops whole days that staging has, in the ledger and with the reason', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 3));
    await worker.stage();
    worker.clock.advance(40 * DAY_MS);
    const [raw] = await run({ rawRetention_ms: 30 * DAY_MS });
    expect(raw!.work).toMatchObject([{ action: 'drop days', count: 3, rows: 3, result: 'done' }]);
    expect(await filesOf(worker, RAW_NAME)).toEqual([]);
    const after = await loaded(worker.lake, RAW_NAME);
    expect(tableState(after).ledger).toMatchObject({ written: 3, removed: 3 });
    expect(after.metadata.snapshots.at(-1)!.summary).toMatchObject({
      operation: 'overwrite',
      'lakeward.detail': 'raw.retention: days before 2026-01-26',
    });
    expect(await worker.stage()).toMatchObject({ received: 0 });
    expect(await documents(worker, STAGING_NAME)).toHaveLength(3);
  });

  test('leaves a day alone of which staging has not read everything', async () => {
    const { worker, take, run } = await setup();
    await take(...singly(1, 3));
    await worker.stage();
    await take([event(4)]);
    worker.clock.advance(40 * DAY_MS);
    const [raw] = await run({ rawRetention_ms: 30 * DAY_MS });
    expect(raw!.left).toContain('1 days older than raw.retention wait until staging has read them');
    expect(await filesOf(worker, RAW_NAME)).not.toEqual([]);
    expect(await worker.stage()).toMatchObject({ received: 1, written: 1 });
  });
});

test('a table of somebody else is not touched', async () => {
  const { options } = await setup();
  await expect(maintain(options(), { tables: ['marts.days'], dryRun: false })).rejects.toMatchObject({
    code: 'maintenance.not_ours',
  });
});
