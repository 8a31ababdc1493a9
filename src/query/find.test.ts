import { expect, it } from 'vitest';
import { event, uuidOf } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { identityOf } from '../event/event.ts';
import { findEvent } from './query.ts';

async function lakeOf(...batches: (readonly string[])[]) {
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  for (const bodies of batches) {
    stream.put(bodies);
    await worker.process({ watermark_s: 0, maxIds: 2 });
  }
  await worker.adopt();
  await worker.stage();
  const find = (uuid: string) => findEvent(worker, { uuid, identity: identityOf(uuid) });
  return Object.assign(find, { engine: worker.engine });
}

const named = (event_uuid: string, event_name = 'lesson:started') =>
  JSON.stringify({ event_uuid, event_name, created_at: Date.UTC(2026, 0, 15) / 1000 });

it('an event has its position, its file and its snapshot in raw and in staging', async () => {
  const find = await lakeOf([event(1), event(2)]);
  const found = await find(uuidOf(2));
  expect(found.quarantine).toEqual([]);
  for (const rows of [found.raw, found.staging]) {
    expect(rows).toEqual([
      expect.objectContaining({
        event_uuid: uuidOf(2),
        event_name: 'lesson:started',
        document: event(2),
        shard_id: 'shardId-000000000000',
        sequence_number: expect.stringMatching(/^\d+$/),
        file: expect.stringMatching(/^file:\/\/.*\.parquet$/),
        snapshot: expect.stringMatching(/^\d+$/),
      }),
    ]);
  }
  expect(found.raw[0]!['sequence_number']).toBe(found.staging[0]!['sequence_number']);
});

it('nothing of the search is left in the engine', async () => {
  const find = await lakeOf([event(1), 'no JSON'], [event(1)]);
  await find(uuidOf(1));
  await find(uuidOf(2));
  const { chunks } = await find.engine.query('select view_name from duckdb_views() where not internal');
  for await (const chunk of chunks()) expect(chunk).toEqual([]);
});

it('a UUID is found in any spelling, any other text only as it is', async () => {
  const uuid = 'abcdefab-0000-4000-8000-000000000001';
  const find = await lakeOf([named(uuid), named('Order-1'), named("o'1")]);
  expect((await find(uuid.toUpperCase())).staging.map((row) => row['event_uuid'])).toEqual([uuid]);
  expect((await find('order-1')).staging).toEqual([]);
  expect((await find('Order-1')).staging.length).toBe(1);
  expect((await find("o'1")).raw.length).toBe(1);
});

it('a record that is no event is found by the uuid in it, with the reason', async () => {
  const broken = `{"event_uuid":"${uuidOf(7)}","event_name":"a:b","created_at":"yesterday"}`;
  const find = await lakeOf([broken, event(1)]);
  expect(await find(uuidOf(7))).toEqual({
    raw: [],
    staging: [],
    quarantine: [expect.objectContaining({ reason: 'bad_created_at', bytes: broken.length })],
  });
});

it('a type that no path can hold does not hide an event', async () => {
  const find = await lakeOf([named('e1', 'a/b?*:x'), named('e2', '007:x')]);
  expect((await find('e1')).raw.map((row) => row['event_name'])).toEqual(['a/b?*:x']);
  expect((await find('e2')).staging.map((row) => row['event_name'])).toEqual(['007:x']);
});

it('what nobody sent is nowhere, also in a lake without tables', async () => {
  const nowhere = { raw: [], staging: [], quarantine: [] };
  expect(await (await lakeOf([event(1)]))(uuidOf(2))).toEqual(nowhere);
  expect(await (await lakeOf())(uuidOf(2))).toEqual(nowhere);
});
