import { expect, it } from 'vitest';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream, shardName } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { Failure, silentLog, systemClock } from '../base/base.ts';
import { openWorkers, type Stream } from '../stream/stream.ts';
import { readStatus, type StreamSource } from './monitor.ts';

const HOUR = 3_600_000;
const LIMITS = { lag_ms: 10 * 60_000, behind_ms: 10 * 60_000 };

async function setup(source: Partial<StreamSource> = {}) {
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  const named: StreamSource = { name: 'events', stream, keepsUncommitted: false, ...source };
  const read = readStatus({ lake: worker.lake, stream: async () => named, limits: LIMITS });
  return { stream, worker, read: (later_ms = 0) => read(worker.clock.now() + later_ms) };
}

const codes = ({ findings }: { findings: readonly { code: string }[] }) => findings.map(({ code }) => code);
const everything = async (worker: Worker) => {
  await worker.process();
  await worker.stage();
};

it('of a folder without tables is no fault', async () => {
  const { read } = await setup({ stream: undefined, why: 'nothing runs' });
  const status = await read();
  expect(status).toMatchObject({ status: 'ok', stream: { state: 'not running', why: 'nothing runs' } });
  expect(codes(status)).toEqual(['status.no_tables', 'status.not_running']);
});

it('counts as the ledger does, and is ok when everything is taken and staged', async () => {
  const { stream, worker, read } = await setup();
  stream.put([...events(1, 2, 3, 1), 'no JSON']);
  await everything(worker);
  const { status, lake, stream: told, findings } = await read();
  expect({ status, findings }).toEqual({ status: 'ok', findings: [] });
  expect(lake.ledger).toMatchObject({ received: 5, written: 3, duplicate: 1, quarantined: 1 });
  expect(lake).toMatchObject({
    balanced: true,
    staging: { waitingRows: 0, behind_ms: null, newestArrival: '2026-01-15T12:00:00.004Z' },
    quarantine: { waitingRows: 0 },
  });
  expect(lake.tables.map(({ name, rows }) => [name, rows])).toEqual([
    ['quarantine.events', 1],
    ['raw.events', 3],
    ['staging.events', 3],
  ]);
  expect(told).toMatchObject({ state: 'answers', lag_ms: 0, retentionLeft_ms: null });
});

it('says when each table was last committed to, and how fresh staging is, by the clock of who asks', async () => {
  const { stream, worker, read } = await setup();
  stream.put(events(1, 2));
  await everything(worker);
  const { at, lake } = await read(HOUR);
  const age_ms = (then: string | null) => Date.parse(at) - Date.parse(then!);
  for (const { lastCommit, lastCommitAge_ms } of lake.tables) {
    expect(lastCommitAge_ms).toBe(age_ms(lastCommit));
    expect(lastCommitAge_ms).toBeGreaterThanOrEqual(HOUR);
  }
  expect(lake.staging.freshness_ms).toBe(age_ms('2026-01-15T12:00:00.002Z'));
  expect(lake.staging.freshness_ms).toBe(age_ms(lake.staging.newestArrival));
});

it('names the workers of the stream, whether they live, and the shards of each', async () => {
  const { stream, worker, read } = await setup();
  const { arn } = await stream.describe();
  const open = (id: string) =>
    openWorkers({
      ...{ store: worker.lake.store, clock: systemClock, log: silentLog, random: () => 0 },
      elapsed_ms: () => performance.now(),
      self: { id, host: 'host', pid: 7, machine: undefined },
      lease_ms: 9_000,
      isAlive: () => true,
    });
  const [own, other] = [open('own'), open('other')];
  const share = await own.share(arn);
  await other.share(`${arn}-of-another-name`);
  share.owns(shardName(0));
  // Files are dated by this machine's clock.
  const now = Date.now() - worker.clock.now();
  let status = await read(now);
  while (status.workers[0]?.shards.length !== 1) status = await read(now);
  const told = { id: 'own', host: 'host', pid: 7, shards: [shardName(0)] };
  expect(status.workers).toMatchObject([{ ...told, live: true }]);
  expect((await read(now + 60_000)).workers).toMatchObject([{ ...told, live: false }]);
  await Promise.all([own.leave(), other.leave()]);
  expect((await read(now)).workers).toEqual([]);
});

it('says how far it is behind the stream, and how long what is unread is kept', async () => {
  const { stream, worker, read } = await setup();
  stream.put(events(1));
  await everything(worker);
  const arrived_ms = await stream.serverTime();
  stream.putAt(events(2)[0]!, { shard: 0, arrived_ms });
  stream.putAt(events(3)[0]!, { shard: 0, arrived_ms: arrived_ms + HOUR - 1 });
  const status = await read();
  expect(status.stream).toMatchObject({
    lag_ms: HOUR,
    retentionLeft_ms: 23 * HOUR,
    shards: [{ lag_ms: HOUR, retentionLeft_ms: 23 * HOUR }],
  });
  expect(codes(status)).toEqual(['status.lagging']);
});

it('warns when unread records will soon be trimmed, unless the stream keeps them', async () => {
  for (const keepsUncommitted of [false, true]) {
    const { stream, worker, read } = await setup({ keepsUncommitted });
    stream.put(events(1));
    await everything(worker);
    const arrived_ms = await stream.serverTime();
    stream.putAt(events(2)[0]!, { shard: 0, arrived_ms });
    stream.putAt(events(3)[0]!, { shard: 0, arrived_ms: arrived_ms + 20 * HOUR });
    expect(codes(await read()).includes('status.retention_low')).toBe(!keepsUncommitted);
  }
});

it('counts what waits for staging, and complains once it waits for long', async () => {
  const { stream, worker, read } = await setup();
  stream.put(events(1, 2));
  await everything(worker);
  stream.put(events(3, 4, 5));
  await worker.process();
  expect((await read()).lake.staging).toMatchObject({ waitingRows: 3 });
  expect(codes(await read())).toEqual([]);
  const late = await read(HOUR);
  expect(late.lake.staging.behind_ms).toBeGreaterThanOrEqual(HOUR);
  expect(codes(late)).toEqual(['status.staging_behind']);
});

it('counts what quarantine has not adopted, not what raw still names', async () => {
  const { stream, worker, read } = await setup();
  stream.put(['no JSON']);
  await worker.process({ adopt: async () => Number.MAX_SAFE_INTEGER });
  const late = await read(HOUR);
  expect(late.lake.quarantine.waitingRows).toBe(1);
  expect(codes(late)).toContain('status.quarantine_behind');
  await worker.adopt();
  expect((await read(HOUR)).lake.quarantine).toEqual({ waitingRows: 0, behind_ms: null });
});

it('is told of the lake also when the stream does not answer', async () => {
  const gone: Partial<Stream> = {
    describe: () =>
      Promise.reject(
        new Failure('no answer from there', {
          code: 'stream.unreachable',
          fault: 'service',
          retry: 'backoff',
          why: 'ECONNREFUSED',
        }),
      ),
  };
  const { stream, worker, read } = await setup({ stream: gone as Stream });
  stream.put(events(1));
  await everything(worker);
  const status = await read();
  expect(status.stream).toMatchObject({ state: 'no answer', why: 'no answer from there: ECONNREFUSED' });
  expect(status.lake.ledger?.received).toBe(1);
  expect(codes(status)).toEqual(['status.no_stream']);
});
