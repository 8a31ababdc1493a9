import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Spool } from '../stream/stream.ts';
import { nextSpool } from './next-spool.ts';

function spool(dispose: () => Promise<void> = async () => {}): Spool {
  return {
    path: 'spool.parquet',
    rows: 0,
    bytes: 0,
    stray: 0,
    damaged: 0,
    shards: [],
    ranges: new Map(),
    ended: new Map(),
    expired: [],
    forgotten: [],
    drained: true,
    behindLatest_ms: 0,
    firstArrival_ms: undefined,
    lastArrival_ms: undefined,
    [Symbol.asyncDispose]: dispose,
  };
}

test('no spool that was handed over is kept by waiting for one, however long the session goes on', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const failed = new AbortController();
  const seen: WeakRef<Spool>[] = [];
  for (let i = 0; i < 20; i++) {
    const given = await nextSpool({ next: async () => spool() }, failed.signal);
    seen.push(new WeakRef(given!));
  }
  // A WeakRef holds its target until the turn that made it is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  // Of the last one the frame of this test may still have a reference.
  expect(seen.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1);
  expect(failed.signal.aborted).toBe(false);
});

test('a failure ends the wait for a spool, and one that comes later is removed', async () => {
  const failed = new AbortController();
  const late = Promise.withResolvers<Spool>();
  const waiting = nextSpool({ next: () => late.promise }, failed.signal);
  failed.abort(new Error('the commit failed'));
  await expect(waiting).rejects.toThrow('the commit failed');
  const disposed = new Promise<void>((resolve) => late.resolve(spool(async () => resolve())));
  await disposed;
});

test('after a failure no spool is asked for', async () => {
  const asked: string[] = [];
  const next = async () => {
    asked.push('next');
    return undefined;
  };
  const failed = AbortSignal.abort(new Error('the commit failed'));
  await expect(nextSpool({ next }, failed)).rejects.toThrow('the commit failed');
  expect(asked).toEqual([]);
});
