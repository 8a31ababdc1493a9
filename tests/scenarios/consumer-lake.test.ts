/** What the consumer finds in a stream, as the lake keeps it: rows, ledger, positions and ranges that expired. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import { processStream } from '../../src/processor/processor.ts';
import { RAW_NAME, snapshotFacts, tableState } from '../../src/tables/tables.ts';
import { verifyLake } from '../../src/verify/verify.ts';
import { aggregate } from '../support/aggregate.ts';
import { rows } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event, uuidOf } from '../support/events.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { StreamUnderTest } from '../support/stream-under-test.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

const A = 'shardId-000000000000';
const DAY_MS = 86_400_000;

let stream: StreamUnderTest;
let worker: Worker;
beforeEach(async () => {
  stream = await StreamUnderTest.open({ shards: 2 });
  stream.fake.now_ms = Date.UTC(2026, 0, 15, 12);
  worker = await openWorker({ folder: await lakeFolder(), stream: new ScriptedStream() });
});
afterEach(() => stream.close());

const run = (changed: Parameters<Worker['process']>[0] = {}) =>
  worker.process({ stream: stream.stream, until_ms: stream.fake.now_ms, ...changed });
const verified = () =>
  verifyLake({
    ...{ lake: worker.lake, engine: worker.engine, log: silentLog, clock: stream.clock, stream: undefined },
    ...{ limits: worker.options().limits, deep: true, spoolFolder: '', maxRows: 9, maxBytes: 1e9 },
    signal: new AbortController().signal,
  });
const state = async () => tableState(await loaded(worker.lake, RAW_NAME));
const positions = async () => Object.values((await state()).positions)[0];
const facts = async () =>
  (await loaded(worker.lake, RAW_NAME)).metadata.snapshots.map((s) => snapshotFacts(s));

test('user records of an aggregated record are rows with their place in it; strays are kept and counted', async () => {
  const keyed = Array.from({ length: 9 }, (_, n) => ({ data: event(n), key: `key ${n}` }));
  stream.fake.put('events', A, { data: aggregate(...keyed) }, event(50));
  await run();
  const held = await rows(
    worker,
    RAW_NAME,
    'event_uuid, sequence_number, subsequence_number',
    'order by sequence_number::int, subsequence_number',
  );
  expect(held).toEqual([...keyed.map((_, n) => [uuidOf(n), '1', n]), [uuidOf(50), '2', null]]);
  const { ledger } = await state();
  expect(ledger).toMatchObject({ received: 10, written: 10 });
  expect(ledger.stray).toBeGreaterThan(0);
  expect(ledger.stray).toBeLessThan(9);
  expect(await positions()).toMatchObject({ [A]: '2' });
});

test('an aggregated record whose checksum is wrong is told with the commit that has it as a plain record', async () => {
  const broken = aggregate({ data: event(1) });
  broken[broken.length - 1]! ^= 255;
  stream.fake.put('events', A, { data: broken }, event(2));
  const told: number[] = [];
  await run({ onCommit: ({ damaged }) => told.push(damaged) });
  expect(told).toEqual([1]);
  expect((await state()).ledger).toMatchObject({ received: 2, written: 1, quarantined: 1 });
});

test('a stray copy is a repeat like any other', async () => {
  const keyed = [{ data: event(1), key: 'key 1' }];
  for (const shard of [A, 'shardId-000000000001'])
    stream.fake.put('events', shard, { data: aggregate(...keyed) });
  await run();
  await worker.stage();
  expect((await state()).ledger).toMatchObject({ received: 2, written: 1, duplicate: 1, stray: 1 });
});

test('a record of the largest size is an event like any other', async () => {
  const note = 'x'.repeat((10 << 20) - event(1, { note: '' }).length);
  stream.fake.put('events', A, event(1, { note }), event(2));
  await run();
  await worker.stage();
  const held = await rows(worker, 'staging.events', 'event_uuid, strlen(document)', 'order by 1');
  expect(held).toEqual([
    [uuidOf(1), 10 << 20],
    [uuidOf(2), event(2).length],
  ]);
});

test('what expired while nothing ran is a range in the commit that goes on behind it, and is no count', async () => {
  stream.fake.put('events', A, event(1), event(2));
  await run();
  stream.fake.put('events', A, event(3), event(4), event(5));
  stream.fake.trim('events', A, 4);
  const told: (readonly unknown[])[] = [];
  await run({ onCommit: (commit) => told.push(commit.expired) });
  expect(told).toMatchObject([[{ shard: A, from: '2', to: '5' }]]);
  const { id } = await stream.stream.describe();
  const expired = (await facts()).flatMap((each) => each?.expired ?? []);
  expect(expired).toMatchObject([{ stream: id, shard: A, from: '2', to: '5', until_ms: stream.fake.now_ms }]);
  await worker.adopt();
  await worker.stage();
  expect(await verified()).toMatchObject({ findings: [], expired });
  expect((await state()).ledger).toMatchObject({ received: 3, written: 3 });
  expect(await positions()).toMatchObject({ [A]: '5' });
});

test('a shard that is gone has its position no longer once its children have theirs', async () => {
  const [b] = stream.fake.reshard('events', [A], 1);
  stream.fake.put('events', b!, event(1));
  await run();
  expect(await positions()).toMatchObject({ [A]: 'end', [b!]: '1' });
  stream.fake.expire('events', A);
  const over = new AbortController();
  const { until_ms: _, ...endless } = worker.options({ stream: stream.stream, signal: over.signal });
  const running = processStream({ ...endless, maxAge_ms: 10 });
  const listed = stream.fake.count('ListShards');
  for (let audits = 0; audits < 4; ) {
    stream.clock.advance(60_000);
    await stream.clock.whenSleeping(10);
    audits = stream.fake.count('ListShards') - listed;
  }
  stream.fake.put('events', b!, event(2));
  while ((await positions())![b!] !== '2') await stream.clock.whenSleeping(10);
  over.abort();
  await running;
  expect(Object.keys((await positions())!)).not.toContain(A);
  stream.fake.put('events', b!, event(3));
  await run();
  expect((await state()).ledger).toMatchObject({ received: 3, written: 3 });
});

test('“now” is the time of the stream that the first commit wrote down, whatever runs later', async () => {
  stream.fake.put('events', A, { data: event(1), arrived_ms: stream.fake.now_ms - 60_000 });
  await run({ start: 'NOW' });
  const pinned = { '*': `AT_TIMESTAMP:${stream.fake.now_ms}` };
  expect(await positions()).toEqual(pinned);
  stream.fake.now_ms += DAY_MS / 2;
  stream.fake.put('events', A, event(2));
  await run({ start: 'NOW' });
  expect(await positions()).toEqual({ ...pinned, [A]: '2' });
  expect((await state()).ledger).toMatchObject({ received: 1 });
});

test('a stream re-created under its name is read from its own start, beside the positions of the one before', async () => {
  stream.fake.put('events', A, event(1));
  await run();
  stream.fake.create('events', 1);
  stream.fake.put('events', A, event(1), event(2));
  await run();
  expect(Object.keys((await state()).positions)).toHaveLength(2);
  expect((await state()).ledger).toMatchObject({ received: 3, written: 2, duplicate: 1 });
});
