import { expect, test } from 'vitest';
import { toldLog } from '../../tests/support/told-log.ts';
import { FaultyFiles } from './faulty-files.ts';
import type { HeldPositions } from './stream-server.ts';
import {
  call,
  HOUR_MS,
  iterator,
  ManualClock,
  putTexts,
  type TestServer,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';
const SHARD = 'shardId-000000000000';

interface Filled extends TestServer {
  numbers: string[];
}

/** Five records, an hour apart, each in a segment of its own. */
async function filled(held: HeldPositions, options: Parameters<typeof testServer>[0] = {}): Promise<Filled> {
  const server = await testServer({ held, segment_bytes: 100, ...options });
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const numbers: string[] = [];
  for (const text of ['1', '2', '3', '4', '5']) {
    numbers.push(...(await putTexts(server, StreamName, [text.repeat(60)])));
    server.clock.move(HOUR_MS);
  }
  return Object.assign(server, { numbers });
}

/** The server has trimmed, so many hours later. */
async function trimmedAfter(server: TestServer, hours: number): Promise<void> {
  await server.clock.asleep();
  server.clock.move(hours * HOUR_MS);
  await server.clock.asleep();
}

/** The first character of each record that is left then. */
async function leftAfter(server: TestServer, hours: number): Promise<string> {
  await trimmedAfter(server, hours);
  return (await texts(server, StreamName)).map((text) => text[0]).join('');
}

test('where no lake reads the stream, time alone decides', async () => {
  await using server = await filled(() => 'none');
  // The first three records are older than 24 hours then.
  expect(await leftAfter(server, 21.5)).toBe('45');
});

test('the lake holds what lies above its position, however old', async () => {
  let position = '';
  await using server = await filled(() => new Map([[SHARD, position]]));
  position = server.numbers[1]!;
  expect(await leftAfter(server, 1_000)).toBe('345');
  position = 'end';
  expect(await leftAfter(server, 1)).toBe('');
});

test.each([
  ['nothing is known of the lake', () => undefined],
  ['the shard has no position yet', () => new Map([['shardId-000000000001', 'end']])],
  ['the position is where the lake begins', () => new Map([[SHARD, 'TRIM_HORIZON']])],
  [
    'the position is of another stream',
    () => new Map([[SHARD, '49543463076548007577105092703039560359975228518395019266']]),
  ],
] as [string, HeldPositions][])('nothing is trimmed while %s', async (_when, held) => {
  await using server = await filled(held);
  expect(await leftAfter(server, 1_000)).toBe('12345');
});

test('what time took away makes room again', async () => {
  // Header 64 and frame 26 + 3 + 60 bytes for each of five records.
  await using server = await filled(() => 'none', { maxBytes: 5 * (64 + 89) + 60 });
  await expect(putTexts(server, StreamName, ['6'.repeat(60)])).rejects.toThrow(/stream\.maxBytes/);
  expect(await leftAfter(server, 21.5)).toBe('45');
  await putTexts(server, StreamName, ['6'.repeat(60)]);
});

test('a reader whose place was trimmed goes on at the oldest record that is left', async () => {
  await using server = await filled(() => 'none');
  const ShardIteratorType = 'AFTER_SEQUENCE_NUMBER';
  const start = { ShardIteratorType, StartingSequenceNumber: server.numbers[0]! } as const;
  expect(await leftAfter(server, 21.5)).toBe('45');
  expect((await texts(server, StreamName, start)).map((text) => text[0])).toEqual(['4', '5']);
});

test('when all is trimmed a reader is at the end, and numbering goes on, also after a restart', async () => {
  const clock = new ManualClock();
  const before = await filled(() => 'none', { clock });
  expect(await leftAfter(before, 1_000)).toBe('');
  const answer = await call(before, 'GetRecords', { ShardIterator: await iterator(before, StreamName) });
  expect(answer).toMatchObject({ Records: [], MillisBehindLatest: 0 });
  await before.close();
  await using after = await testServer({ folder: before.folder, clock });
  const [next] = await putTexts(after, StreamName, ['6']);
  expect(next! > before.numbers.at(-1)!).toBe(true);
  expect(await texts(after, StreamName)).toEqual(['6']);
});

test('a file that cannot be removed keeps no other stream or shard from being trimmed, and is removed later', async () => {
  const [files, log] = [new FaultyFiles(), toldLog()];
  await using server = await testServer({
    held: () => 'none',
    segment_bytes: 100,
    maxBytes: 2_000,
    files,
    log,
  });
  for (const [name, ShardCount] of [
    ['a', 1],
    ['events', 2],
  ] as const)
    await call(server, 'CreateStream', { StreamName: name, ShardCount });
  const Data = btoa('1'.repeat(60));
  const last = String(2n ** 128n - 1n);
  for (const [name, ExplicitHashKey] of [
    ['a', '0'],
    ['events', '0'],
    ['events', last],
  ] as const)
    await call(server, 'PutRecord', { StreamName: name, PartitionKey: 'key', ExplicitHashKey, Data });
  const removed = () => files.done.filter((each) => each.startsWith('remove ') && each.endsWith('.log'));
  files.failWhen((operation, path) => operation === 'remove' && /-a\/|-events\/0\//.test(path));
  await trimmedAfter(server, 1_000);
  const path = (text: string) => expect.stringContaining(text);
  expect(removed()).toEqual([path('-a/0/'), path('-events/0/'), path('-events/1/')]);
  expect(log.told).toMatchObject(
    ['a', 'events'].map((stream) => ({ id: 'stream_server.trim_failed', fields: { stream } })),
  );
  files.failWhen(() => false);
  await trimmedAfter(server, 1);
  expect(removed().slice(3)).toEqual([path('-a/0/'), path('-events/0/')]);
});
