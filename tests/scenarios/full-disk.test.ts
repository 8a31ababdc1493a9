/** A disk that is full at any point of the work: a clear failure, nothing half-written, and on when there is room. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import { audit, WHOLE } from '../support/audit.ts';
import { event } from '../support/events.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { StreamUnderTest } from '../support/stream-under-test.ts';
import { openWorker } from '../support/worker.ts';

const FULL = [
  ...['object_store.full', 'stream.spool_failed', 'engine.disk', 'staging.index_full'],
  // SQLite found no room for its log: nobody knows then whether the pointer moved.
  'lake.commit_unknown',
];

const SHARD = 'shardId-000000000000';
/** A page, then about as much as spool, data files, manifests, metadata, and the catalog's log take. */
const ROOM = [0, 8_192, 28_672, 61_440, 122_880];

const disk = await mountSmallDisk(64);
const missing = typeof disk === 'string' ? disk : undefined;
afterAll(async () => {
  if (typeof disk !== 'string') await disk.close();
});

it.skipIf(missing !== undefined)(
  `a disk with no room for the next file, whichever it is, loses and doubles nothing${missing ? `: skipped, ${missing}` : ''}`,
  async () => {
    if (typeof disk === 'string') return;
    const test = await StreamUnderTest.open();
    test.fake.now_ms = Date.UTC(2026, 0, 16);
    const folder = join(disk.folder, 'lake');
    await mkdir(folder);
    const worker = await openWorker({ folder, stream: new ScriptedStream() });
    const spoolFolder = join(folder, 'spools');
    const acknowledged: { body: Uint8Array }[] = [];
    const failures: Failure[] = [];
    const put = (...bodies: string[]) => {
      test.fake.put('events', SHARD, ...bodies);
      for (const body of bodies) acknowledged.push({ body: Buffer.from(body) });
    };
    const failed = (failure: Failure) => {
      failures.push(failure);
      // The second try meets the same disk.
      if (failures.length % 2 === 0) disk.makeRoom();
    };
    const process = () =>
      worker.process({ stream: test.stream, spoolFolder, until_ms: test.fake.now_ms, onRetry: failed });
    const stage = async () => {
      for (;;) {
        try {
          return await worker.stage();
        } catch (error) {
          if (!(error instanceof Failure) || error.retry === 'never') throw error;
          failed(error);
        }
      }
    };

    put(event(1), 'broken 1');
    await process();
    await stage();
    for (const [i, left] of ROOM.entries()) {
      put(event(10 + i), event(50 + i), `broken ${10 + i}`);
      disk.fill(left);
      await process();
      disk.makeRoom();
      disk.fill(left);
      await stage();
      disk.makeRoom();
    }
    await worker.adopt();
    await worker.stage();

    expect(failures.length).toBeGreaterThan(ROOM.length);
    const told = failures.map(({ code, hint, why }) => ({
      code,
      isClear: (hint ?? '') !== '' && why !== '',
    }));
    for (const each of told) expect(each).toEqual({ code: expect.toBeOneOf(FULL), isClear: true });
    expect(new Set(told.map(({ code }) => code)).size).toBeGreaterThan(2);
    expect(await audit(worker, { acknowledged })).toEqual(WHOLE);
    await test.close();
  },
);
