import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLog } from '../base/base.ts';
import { Capacity } from './capacity.ts';
import { FaultyFiles } from './faulty-files.ts';
import { FRAME_HEADER_BYTES, frameIndex, frameKeyLength } from './frame.ts';
import { type LogFiles, nodeFiles } from './log-files.ts';
import { ShardLog } from './shard-log.ts';
import { ManualClock } from './test-server.ts';

interface Opened {
  folder: string;
  log: ShardLog;
  capacity: Capacity;
}

async function openLog(
  options: { folder?: string; files?: LogFiles; clock?: ManualClock } = {},
): Promise<Opened> {
  const folder = options.folder ?? join(await mkdtemp(join(tmpdir(), 'lakeward-log-')), 'stream', '0');
  const capacity = new Capacity(1e9);
  const log = await ShardLog.open({
    folder,
    files: options.files ?? nodeFiles,
    clock: options.clock ?? new ManualClock(),
    log: silentLog,
    capacity,
    limits: { segment_bytes: 2_000, segmentAge_ms: 1_000_000 },
  });
  return { folder, log, capacity };
}

function record(text: string, arrival_ms = 1) {
  return { arrival_ms, partitionKey: 'k', partitionKey_bytes: 1, data: Buffer.from(text) };
}

async function read(log: ShardLog, from: number, chunk_bytes = 4096): Promise<[number, string][]> {
  const found: [number, string][] = [];
  await log.read({ from, chunk_bytes }, (bytes, at, length) => {
    const dataAt = at + FRAME_HEADER_BYTES + frameKeyLength(bytes, at);
    found.push([frameIndex(bytes, at), bytes.toString('utf8', dataAt, at + length)]);
    return 'next';
  });
  return found;
}

test('what is put while a sync runs waits for one more sync, all of it together', async () => {
  const files = new FaultyFiles();
  const { log } = await openLog({ files });
  const release = files.holdSyncs();
  log.put(record('first'));
  const first = log.durable();
  while (!files.done.some((entry) => entry.startsWith('syncData'))) await new Promise((r) => setImmediate(r));
  const rest = ['a', 'b', 'c'].map((text) => {
    log.put(record(text));
    return log.durable();
  });
  expect(await read(log, 0)).toEqual([]);
  release();
  await Promise.all([first, ...rest]);
  expect((await read(log, 0)).map(([, text]) => text)).toEqual(['first', 'a', 'b', 'c']);
  expect(files.done.filter((entry) => entry.startsWith('syncData'))).toHaveLength(2);
  await log.close();
});

test('a segment has a durable name and its numbers are reserved before a record is acknowledged', async () => {
  const files = new FaultyFiles();
  const { folder, log } = await openLog({ files });
  log.put(record('x'));
  await log.durable();
  const at = (entry: string) => files.done.indexOf(entry);
  const segment = `${folder}/0000000000000001.log`;
  const order = [
    at(`syncFolder ${join(folder, '..')}`),
    at(`rename ${folder}/reserved`),
    at(`create ${segment}`),
    at(`sync ${segment}`),
    files.done.lastIndexOf(`syncFolder ${folder}`),
    at(`syncData ${segment}`),
  ];
  expect(order.every((place) => place >= 0)).toBe(true);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  await log.close();
});

test.each(['create', 'write', 'sync', 'syncData', 'syncFolder', 'rename'] as const)(
  'after a failed %s the put fails, and later puts are kept without the records that failed',
  async (operation) => {
    const files = new FaultyFiles();
    const { folder, log, capacity } = await openLog({ files });
    files.failWhen((each) => each === operation);
    log.put(record('lost'));
    await expect(log.durable()).rejects.toThrow('EIO');
    expect(await read(log, 0)).toEqual([]);
    files.failWhen(() => false);
    const index = log.put(record('kept'));
    await log.durable();
    expect(await read(log, 0)).toEqual([[index, 'kept']]);
    const used = capacity.used;
    await log.close();
    const again = await openLog({ folder });
    expect(await read(again.log, 0)).toEqual([[index, 'kept']]);
    expect(again.capacity.used).toBe(used);
    expect(again.log.put(record('next'))).toBeGreaterThan(index!);
    await again.log.close();
  },
);

test('an operation that fails for long does not lose what was durable before', async () => {
  const files = new FaultyFiles();
  const { folder, log } = await openLog({ files });
  log.put(record('before'));
  await log.durable();
  files.failWhen((each) => each === 'syncData' || each === 'truncate');
  for (let i = 0; i < 3; i++) {
    log.put(record('lost'));
    await expect(log.durable()).rejects.toThrow('EIO');
  }
  expect((await read(log, 0)).map(([, text]) => text)).toEqual(['before']);
  files.failWhen(() => false);
  log.put(record('after'));
  await log.durable();
  await log.close();
  const again = await openLog({ folder });
  expect((await read(again.log, 0)).map(([, text]) => text)).toEqual(['before', 'after']);
  await again.log.close();
});

test('after a failed sync the file is cut back to what is durable, and synced, before it is written again', async () => {
  const files = new FaultyFiles();
  const { log } = await openLog({ files });
  log.put(record('before'));
  await log.durable();
  files.failWhen((operation) => operation === 'syncData');
  log.put(record('lost'));
  await expect(log.durable()).rejects.toThrow('EIO');
  files.failWhen(() => false);
  const from = files.done.length;
  log.put(record('after'));
  await log.durable();
  const operations = files.done.slice(from).map((entry) => entry.split(' ')[0]);
  expect(operations).toEqual(['truncate', 'sync', 'write', 'syncData']);
  await log.close();
});

type Step =
  | { kind: 'put'; sizes: number[] }
  | { kind: 'reopen' }
  | { kind: 'trim'; part: number }
  | { kind: 'read'; part: number; chunk_bytes: number }
  | { kind: 'time'; part: number };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      sizes: fc.array(fc.nat(900), { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), part }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      part,
      chunk_bytes: fc.integer({ min: 30, max: 5000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), part }) },
);

/** What a log must do, in the plainest way. */
class Model {
  records: { index: number; arrival_ms: number; text: string }[] = [];
  newest = 0;

  indexAt(part: number): number {
    return Math.floor(part * (this.newest + 2));
  }
}

test('a log gives back what was put, in order, from any place, through restarts and trimming', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      let { folder, log, capacity } = await openLog();
      const model = new Model();
      let now_ms = 1;
      for (const one of steps) {
        if (one.kind === 'put') {
          for (const size of one.sizes) {
            const text = 'x'.repeat(size);
            const index = log.put(record(text, now_ms))!;
            expect(index).toBeGreaterThan(model.newest);
            model.newest = index;
            model.records.push({ index, arrival_ms: now_ms, text });
            now_ms += size % 3;
          }
          await log.durable();
          expect(log.lastIndex).toBe(model.newest);
        } else if (one.kind === 'reopen') {
          const used = capacity.used;
          await log.close();
          ({ log, capacity } = await openLog({ folder }));
          expect(capacity.used).toBe(used);
        } else if (one.kind === 'trim') {
          const heldIndex = model.indexAt(one.part);
          await log.trim({ olderThan_ms: now_ms + 1, heldIndex });
          const left = await read(log, 0);
          const first = left[0]?.[0] ?? model.newest + 1;
          expect(
            model.records.filter(({ index }) => index < first).every(({ index }) => index <= heldIndex),
          ).toBe(true);
          model.records = model.records.filter(({ index }) => index >= first);
        } else if (one.kind === 'read') {
          const from = model.indexAt(one.part);
          const wanted = model.records
            .filter(({ index }) => index >= from)
            .map(({ index, text }) => [index, text]);
          expect(await read(log, from, one.chunk_bytes)).toEqual(wanted);
        } else {
          const time_ms = Math.floor(one.part * (now_ms + 2));
          const wanted = model.records.find(({ arrival_ms }) => arrival_ms >= time_ms);
          expect(await log.indexAt(time_ms)).toBe(wanted?.index ?? log.lastIndex + 1);
        }
      }
      await log.close();
    }),
    { numRuns: 60 },
  );
});

test('reading on from where the last read ended gives each record once, however small the portions', async () => {
  const { log } = await openLog();
  const indexes = Array.from({ length: 200 }, (_, i) => log.put(record('x'.repeat(i)))!);
  await log.durable();
  const seen: number[] = [];
  for (let from = 0; from <= log.lastIndex; from = seen.at(-1)! + 1) {
    let count = 0;
    await log.read({ from, chunk_bytes: 1000 }, (bytes, at) => {
      if (count++ === 7) return 'stop';
      seen.push(frameIndex(bytes, at));
      return 'next';
    });
  }
  expect(seen).toEqual(indexes);
  await log.close();
});
