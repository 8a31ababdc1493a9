/** A processor among others: how often it commits, and that others get its shards when it ends. */
import { expect, it } from 'vitest';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import type { SharedWork } from './processor.ts';

async function commitTimes(writers: number) {
  const stream = new ScriptedStream();
  for (let id = 1; id <= 4; id++) {
    stream.put(events(id));
    stream.script.push({ rows: 1 });
  }
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  let left = 0;
  const share = { owns: () => true, over: new AbortController().signal, release: () => {} };
  const sharing: SharedWork = {
    workers: { writers, share: async () => share, leave: async () => void left++ },
    ...{ spacing_ms: 1_000, every_ms: 1_000 },
  };
  const times: number[] = [];
  await worker.process({ sharing, onCommit: () => void times.push(worker.clock.now()) });
  return { times, left, spacing_ms: stream.takes[0]!.spacing_ms?.() };
}

it('of eight writers commits, and hands batches over, at most every eighth second, and leaves at its end', async () => {
  const { times, left, spacing_ms } = await commitTimes(8);
  expect(times).toHaveLength(4);
  for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThanOrEqual(8_000);
  expect({ left, spacing_ms }).toEqual({ left: 1, spacing_ms: 8_000 });
});

it('that is alone waits for nobody', async () => {
  const { times, spacing_ms } = await commitTimes(1);
  expect(times.at(-1)! - times[0]!).toBeLessThan(1_000);
  expect(spacing_ms).toBe(0);
});

it('gives shards back when what it took is committed, and goes on from where the table stands by then', async () => {
  const stream = new ScriptedStream();
  stream.put(events(1, 2));
  stream.script.push({ rows: 2 });
  const folder = await lakeFolder();
  const [worker, other] = [await openWorker({ folder, stream }), await openWorker({ folder, stream })];
  const told: string[] = [];
  const first = new AbortController();
  const release = () => void told.push('released');
  const sharing: SharedWork = {
    workers: {
      writers: 1,
      async share() {
        told.push('shared');
        if (told.length === 1) return { owns: () => true, over: first.signal, release };
        // Another worker has them for a while.
        stream.put(events(3, 4));
        await other.process();
        stream.put(events(5));
        return { owns: () => true, over: new AbortController().signal, release };
      },
      leave: async () => void told.push('left'),
    },
    ...{ spacing_ms: 1_000, every_ms: 1_000 },
  };
  await worker.process({
    sharing,
    onCommit: ({ tally }) => {
      told.push(`took ${tally.received}`);
      first.abort();
    },
    onRetry: ({ code }) => void told.push(code),
  });
  expect(told).toEqual(['shared', 'took 2', 'released', 'shared', 'took 1', 'released', 'left']);
});
