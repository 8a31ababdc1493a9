/** Lives that ended without a word: what the next one does with a batch that was in their hands. */
import { expect, test } from 'vitest';
import { rows } from '../../tests/support/audit.ts';
import { loaded } from '../../tests/support/edited-table.ts';
import { event } from '../../tests/support/events.ts';
import { failingEngine } from '../../tests/support/failing-engine.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { toldLog } from '../../tests/support/told-log.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import { BatchMarks } from '../stream/stream.ts';
import { QUARANTINE_NAME, RAW_NAME, tableState } from '../tables/tables.ts';

const DEADLY = 'deadly';

function deadlyEngine(inner: Engine, onDeath = () => {}): Engine {
  const failure = new Failure('dead', { code: 'engine.crashed', fault: 'ourselves' });
  const crashing = failingEngine(inner, { marker: DEADLY, at: 'judge', failure }).engine;
  // Dead, for who judges in this very process: no failure of the engine, and nobody left to try again.
  const judge: Engine['judge'] = (...batch) =>
    crashing.judge(...batch).catch(() => {
      onDeath();
      throw new Error('the process is gone');
    });
  return { ...crashing, judge, tryOut: crashing.tryOut, identitiesOf: crashing.identitiesOf };
}

/** A worker after others died on the first batch of the stream, one record of which takes down who looks into it. */
async function after(deaths: number, from = '') {
  const stream = new ScriptedStream();
  stream.put(Array.from({ length: 40 }, (_, n) => event(n, n === 17 ? { note: DEADLY } : {})));
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  const { id } = await stream.describe();
  const shard = (await stream.shards())[0]!.id;
  for (let life = 0; life < deaths; life++)
    await new BatchMarks(worker.lake.store, { stream: id, id: `life-${life}` }).set({ [shard]: from }, {});
  const engine = deadlyEngine(worker.engine);
  const log = toldLog();
  const told = () =>
    log.told.filter((each) => each.id === 'processor.died_in_batch').map(({ fields }) => fields);
  return { worker, told, run: () => worker.process({ engine, log }) };
}

const marksLeft = async ({ lake: { store } }: Awaited<ReturnType<typeof after>>['worker']) => {
  const left: string[] = [];
  for await (const { location } of store.list(`${store.root}/.judging/`)) left.push(location);
  return left.length;
};

test('three of them: it is searched without being looked into, and the record is cornered', async () => {
  const { worker, told, run } = await after(3);
  await run();
  expect(told()).toEqual([{ stream: 'events', deaths: 3, shards: 1, searched: true }]);
  await worker.adopt();
  expect(await rows(worker, QUARANTINE_NAME, 'reason')).toEqual([['crashed_engine']]);
  const { ledger } = tableState(await loaded(worker.lake, RAW_NAME));
  expect(ledger).toMatchObject({ received: 40, written: 39, quarantined: 1 });
});

test('two of them: they are told, and the batch is judged like any other', async () => {
  const { told, run } = await after(2);
  await expect(run()).rejects.toThrow('the process is gone');
  expect(told()).toEqual([{ stream: 'events', deaths: 2, shards: 1, searched: false }]);
});

test('in a batch that began elsewhere: it is no matter of this one', async () => {
  const { told, run } = await after(3, '123');
  await expect(run()).rejects.toThrow('the process is gone');
  expect(told()).toEqual([]);
});

test('who commits, and who ends with a failure, leaves no word of a death', async () => {
  for (const deaths of [0, 3]) {
    const { worker, run } = await after(deaths);
    await run().catch(() => {});
    // Those of the dead go with the next batch, which begins behind them.
    expect(await marksLeft(worker)).toBe(deaths);
    worker.stream.put([event(99)]);
    await worker.process();
    expect(await marksLeft(worker)).toBe(0);
  }
});

test('in the batch of a shard that others are always ahead of: it is found all the same', async () => {
  const stream = new ScriptedStream({ shards: 2 });
  stream.put([event(0, { note: DEADLY })], { shard: 1 });
  const folder = await lakeFolder();
  const lives: unknown[] = [];
  for (let life = 1; life <= 4; life++) {
    // The other shard answers first, and its batch is committed when the deadly one comes.
    stream.put([event(life)], { shard: 0 });
    const committed = Promise.withResolvers<void>();
    stream.script.push({ rows: 1, shard: 0 }, { rows: 1, shard: 1, before: () => committed.promise });
    let dead = false;
    // Whoever is dead strikes nothing out.
    const wrapStore = (store: ObjectStore): ObjectStore => {
      const remove = store.delete.bind(store);
      return Object.assign(store, {
        delete: (gone: string[]) => (dead ? Promise.reject(new Error('dead')) : remove(gone)),
      });
    };
    const worker = await openWorker({ folder, stream, wrapStore });
    const engine = deadlyEngine(worker.engine, () => {
      dead = true;
    });
    const ended = worker.process({ engine, onCommit: () => committed.resolve() });
    lives.push(await ended.then(() => 'alive').catch((error: Error) => error.message));
  }
  const gone = 'the process is gone';
  expect(lives).toEqual([gone, gone, gone, 'alive']);
});
