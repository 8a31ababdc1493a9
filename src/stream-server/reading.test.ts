import { expect, test } from 'vitest';
import { FaultyFiles } from './faulty-files.ts';
import {
  base64,
  call,
  HOUR_MS,
  iterator,
  putTexts,
  START_MS,
  signedHeaders,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';
const MINUTE_MS = 60_000;

/** Three records, a minute apart. */
async function threeMinutes(options: Parameters<typeof testServer>[0] = {}) {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const numbers: string[] = [];
  for (const text of ['a', 'b', 'c']) {
    numbers.push(...(await putTexts(server, StreamName, [text])));
    server.clock.move(MINUTE_MS);
  }
  return Object.assign(server, { numbers });
}

function at(type: 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER', number: string) {
  return { ShardIteratorType: type, StartingSequenceNumber: number };
}

function since(time_ms: number) {
  return { ShardIteratorType: 'AT_TIMESTAMP' as const, Timestamp: time_ms / 1000 };
}

test('each type of iterator begins where it says', async () => {
  await using server = await threeMinutes();
  const [a, b, c] = server.numbers as [string, string, string];
  const latest = await iterator(server, StreamName, { ShardIteratorType: 'LATEST' });
  expect(await texts(server, StreamName)).toEqual(['a', 'b', 'c']);
  expect(await texts(server, StreamName, at('AT_SEQUENCE_NUMBER', b))).toEqual(['b', 'c']);
  expect(await texts(server, StreamName, at('AFTER_SEQUENCE_NUMBER', b))).toEqual(['c']);
  expect(await texts(server, StreamName, at('AFTER_SEQUENCE_NUMBER', c))).toEqual([]);
  expect(await texts(server, StreamName, at('AT_SEQUENCE_NUMBER', a))).toEqual(['a', 'b', 'c']);
  expect(await texts(server, StreamName, since(START_MS))).toEqual(['a', 'b', 'c']);
  expect(await texts(server, StreamName, since(START_MS + 1))).toEqual(['b', 'c']);
  expect(await texts(server, StreamName, since(0))).toEqual(['a', 'b', 'c']);
  expect(await texts(server, StreamName, since(server.clock.now()))).toEqual([]);
  await putTexts(server, StreamName, ['d']);
  const answer = await call(server, 'GetRecords', { ShardIterator: latest });
  expect(answer.Records.map(({ Data }) => Data)).toEqual([base64('d')]);
});

test('the start of a shard is a position, although it is the number of no record', async () => {
  await using server = await threeMinutes();
  const { Shards } = await call(server, 'ListShards', { StreamName });
  const { StartingSequenceNumber } = Shards[0]!.SequenceNumberRange;
  expect(StartingSequenceNumber < server.numbers[0]!).toBe(true);
  expect(await texts(server, StreamName, at('AFTER_SEQUENCE_NUMBER', StartingSequenceNumber))).toHaveLength(
    3,
  );
});

test('a record is readable only once its sync is done, and acknowledged only then', async () => {
  const files = new FaultyFiles();
  await using server = await testServer({ files });
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const release = files.holdSyncs();
  let acknowledged = false;
  const put = putTexts(server, StreamName, ['a']).then(() => {
    acknowledged = true;
  });
  while (!files.done.some((entry) => entry.startsWith('syncData'))) await new Promise((r) => setImmediate(r));
  const latest = await iterator(server, StreamName, { ShardIteratorType: 'LATEST' });
  expect(await texts(server, StreamName)).toEqual([]);
  expect(acknowledged).toBe(false);
  release();
  await put;
  expect(await texts(server, StreamName)).toEqual(['a']);
  // It came after the iterator was made, so LATEST has it.
  expect((await call(server, 'GetRecords', { ShardIterator: latest })).Records).toHaveLength(1);
});

test('limits hold, the next iterator goes on behind them, and zero behind means all was read', async () => {
  await using server = await threeMinutes();
  const first = await call(server, 'GetRecords', {
    ShardIterator: await iterator(server, StreamName),
    Limit: 2,
  });
  expect(first.Records.map(({ SequenceNumber }) => SequenceNumber)).toEqual(server.numbers.slice(0, 2));
  expect(first.MillisBehindLatest).toBe(2 * MINUTE_MS);
  const second = await call(server, 'GetRecords', { ShardIterator: first.NextShardIterator! });
  expect(second.Records.map(({ SequenceNumber }) => SequenceNumber)).toEqual(server.numbers.slice(2));
  expect(second.MillisBehindLatest).toBe(0);
  const third = await call(server, 'GetRecords', { ShardIterator: second.NextShardIterator! });
  expect(third).toMatchObject({ Records: [], MillisBehindLatest: 0 });
});

test('records that are left are never zero behind, also when the clock stands still', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  await putTexts(server, StreamName, ['a', 'b']);
  const answer = await call(server, 'GetRecords', {
    ShardIterator: await iterator(server, StreamName),
    Limit: 1,
  });
  expect(answer.MillisBehindLatest).toBe(1);
});

test('the same iterator may be used again within its life', async () => {
  await using server = await threeMinutes();
  const ShardIterator = await iterator(server, StreamName);
  const once = await call(server, 'GetRecords', { ShardIterator });
  const twice = await call(server, 'GetRecords', { ShardIterator });
  expect(twice.Records).toEqual(once.Records);
});

test('an iterator expires 300 seconds after its issue', async () => {
  await using server = await threeMinutes();
  const ShardIterator = await iterator(server, StreamName);
  server.clock.move(300_000);
  expect((await call(server, 'GetRecords', { ShardIterator })).Records).toHaveLength(3);
  server.clock.move(1);
  await expect(call(server, 'GetRecords', { ShardIterator })).rejects.toThrow(
    /^ExpiredIteratorException: Iterator expired\. The iterator was created at time Mon Jan 05 12:03:00 UTC 2026 while right now it is Mon Jan 05 12:08:00 UTC 2026 which is further in the future than the tolerated delay of 300000 milliseconds\.$/,
  );
});

test('one answer holds at most 10 MiB of records, and the rest comes with the next', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const large = 'x'.repeat(1_000_000);
  for (let i = 0; i < 3; i++) await putTexts(server, StreamName, Array(5).fill(large));
  const first = await call(server, 'GetRecords', { ShardIterator: await iterator(server, StreamName) });
  expect(first.Records).toHaveLength(10);
  expect(first.MillisBehindLatest).toBeGreaterThan(0);
  const second = await call(server, 'GetRecords', { ShardIterator: first.NextShardIterator! });
  expect(second.Records).toHaveLength(5);
});

const wrongStarts: [string, object, RegExp][] = [
  [
    'a number with TRIM_HORIZON',
    { ShardIteratorType: 'TRIM_HORIZON', StartingSequenceNumber: '0' },
    /^InvalidArgumentException: Must either specify \(1\).* and also a StartingSequenceNumber/,
  ],
  [
    'no number with AT_SEQUENCE_NUMBER',
    { ShardIteratorType: 'AT_SEQUENCE_NUMBER' },
    /^InvalidArgumentException: .* and no StartingSequenceNumber/,
  ],
  [
    'a number of no known version',
    at('AT_SEQUENCE_NUMBER', '12'),
    /^InvalidArgumentException: StartingSequenceNumber 12 .* is invalid\.$/,
  ],
  [
    'no time',
    { ShardIteratorType: 'AT_TIMESTAMP' },
    /^InvalidArgumentException: Must specify timestampInMillis/,
  ],
  [
    'a time to come',
    since(START_MS + HOUR_MS),
    /^InvalidArgumentException: The timestampInMillis parameter cannot be greater than/,
  ],
  [
    'an unknown shard',
    { ShardIteratorType: 'LATEST', ShardId: 'shardId-000000000007' },
    /^ResourceNotFoundException: Shard shardId-000000000007 in stream events under account 000000000000 does not exist$/,
  ],
  [
    'an unknown type',
    { ShardIteratorType: 'BEGINNING' },
    /^ValidationException: .*Member must satisfy enum value set: \[AFTER_SEQUENCE_NUMBER, LATEST,/,
  ],
];

test.each(wrongStarts)("an iterator from %s gets the service's own error", async (_what, start, error) => {
  await using server = await threeMinutes();
  await expect(iterator(server, StreamName, start as never)).rejects.toThrow(error);
});

test('the number of another shard is refused by name', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 2 });
  const put = { StreamName, Data: '', PartitionKey: 'k', ExplicitHashKey: `${2n ** 128n - 1n}` };
  const { SequenceNumber } = await call(server, 'PutRecord', put);
  await expect(iterator(server, StreamName, at('AT_SEQUENCE_NUMBER', SequenceNumber))).rejects.toThrow(
    /It encodes shardId-000000000001, while it was used in a call to a shard with shardId-000000000000$/,
  );
});

test.each(['x', 'AAAA', 'AQAAAAA=', 'é', 'A'.repeat(512)])(
  '%s is no shard iterator',
  async (ShardIterator) => {
    await using server = await threeMinutes();
    await expect(call(server, 'GetRecords', { ShardIterator })).rejects.toThrow(
      'InvalidArgumentException: Invalid ShardIterator.',
    );
  },
);

test('an iterator that was altered is refused', async () => {
  await using server = await threeMinutes();
  const whole = Buffer.from(await iterator(server, StreamName), 'base64');
  for (let i = 0; i < whole.length; i++) {
    const altered = Buffer.from(whole);
    altered[i]! ^= 1;
    await expect(call(server, 'GetRecords', { ShardIterator: altered.toString('base64') })).rejects.toThrow(
      /^InvalidArgumentException/,
    );
  }
});

test('a closed shard is read to its end, names its children there, and takes no more records', async () => {
  const before = await threeMinutes();
  await call(before, 'SplitShard', {
    StreamName,
    ShardToSplit: 'shardId-000000000000',
    NewStartingHashKey: `${2n ** 127n}`,
  });
  await before.close();
  await using server = await testServer({ folder: before.folder, clock: before.clock });
  const part = await call(server, 'GetRecords', {
    ShardIterator: await iterator(server, StreamName),
    Limit: 2,
  });
  expect(part.ChildShards).toBeUndefined();
  const end = await call(server, 'GetRecords', { ShardIterator: part.NextShardIterator! });
  expect(end.Records).toHaveLength(1);
  expect(end.NextShardIterator).toBeNull();
  expect(end.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
    ['shardId-000000000001', ['shardId-000000000000']],
    ['shardId-000000000002', ['shardId-000000000000']],
  ]);
  const { Shards } = await call(server, 'ListShards', { StreamName });
  const ending = Shards[0]!.SequenceNumberRange.EndingSequenceNumber!;
  expect(ending > before.numbers[2]!).toBe(true);
  expect(Shards[1]!.SequenceNumberRange.StartingSequenceNumber > ending).toBe(true);
  const latest = await call(server, 'ListShards', { StreamName, ShardFilter: { Type: 'AT_LATEST' } });
  expect(latest.Shards.map(({ ShardId }) => ShardId)).toEqual([
    'shardId-000000000001',
    'shardId-000000000002',
  ]);
  const put = await call(server, 'PutRecord', {
    StreamName,
    Data: '',
    PartitionKey: 'k',
    ExplicitHashKey: '0',
  });
  expect(put.ShardId).toBe('shardId-000000000001');
});

test('an answer that is read slowly is whole, although the buffers of answers are used again', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const sent = [...'abcdefg'].map((letter) => letter.repeat(740_000));
  for (const text of sent) await putTexts(server, StreamName, [text]);
  const start = await iterator(server, StreamName, { ShardIteratorType: 'TRIM_HORIZON' });
  const { NextShardIterator } = await call(server, 'GetRecords', { ShardIterator: start, Limit: 1 });
  const ask = (ShardIterator: string) =>
    fetch(server.endpoint, {
      method: 'POST',
      headers: signedHeaders('GetRecords'),
      body: JSON.stringify({ ShardIterator }),
    });
  const slow = await ask(start);
  for (let i = 0; i < 3; i++) await (await ask(NextShardIterator!)).arrayBuffer();
  const { Records } = (await slow.json()) as { Records: { Data: string }[] };
  expect(Records.map(({ Data }) => Data)).toEqual(sent.map(base64));
});
