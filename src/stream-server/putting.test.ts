import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HASH_KEY_MAX, hashKeyOf } from '../kinesis/kinesis.ts';
import { checkConstraints } from './check-constraints.ts';
import { areSound } from './check-input.ts';
import { checkTypes } from './check-types.ts';
import { FaultyFiles } from './faulty-files.ts';
import { INPUT_SHAPES } from './input-shapes.ts';
import { base64, call, putTexts, testServer, texts } from './test-server.ts';

const StreamName = 'events';

async function withShards(ShardCount: number, options: Parameters<typeof testServer>[0] = {}) {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount });
  return server;
}

test('a record goes to the shard that owns the hash of its key', async () => {
  await using server = await withShards(7);
  const { Shards } = await call(server, 'ListShards', { StreamName });
  const keys = Array.from({ length: 300 }, (_, i) => `key ${i}`);
  const Records = keys.map((PartitionKey) => ({ Data: '', PartitionKey }));
  const put = await call(server, 'PutRecords', { StreamName, Records });
  for (const [i, key] of keys.entries()) {
    const hash = hashKeyOf(key);
    const owner = Shards.find(
      ({ HashKeyRange: { StartingHashKey, EndingHashKey } }) =>
        BigInt(StartingHashKey) <= hash && hash <= BigInt(EndingHashKey),
    );
    expect(put.Records[i]!.ShardId).toBe(owner!.ShardId);
  }
});

test('an explicit hash key decides instead, to the edges of the ranges', async () => {
  await using server = await withShards(2);
  const half = (HASH_KEY_MAX + 1n) / 2n;
  const shardOf = async (key: bigint) =>
    (await call(server, 'PutRecord', { StreamName, Data: '', PartitionKey: 'k', ExplicitHashKey: `${key}` }))
      .ShardId;
  expect(await shardOf(0n)).toBe('shardId-000000000000');
  expect(await shardOf(half - 1n)).toBe('shardId-000000000000');
  expect(await shardOf(half)).toBe('shardId-000000000001');
  expect(await shardOf(HASH_KEY_MAX)).toBe('shardId-000000000001');
  await expect(shardOf(HASH_KEY_MAX + 1n)).rejects.toThrow(
    /^InvalidArgumentException: Invalid ExplicitHashKey\./,
  );
});

test('numbers of a shard rise from record to record and from request to request', async () => {
  await using server = await withShards(1);
  const numbers = [
    ...(await putTexts(server, StreamName, ['a', 'b'])),
    ...(await putTexts(server, StreamName, ['c'])),
  ];
  expect(numbers).toEqual(numbers.toSorted());
  expect(new Set(numbers).size).toBe(3);
});

test('when the sync of one shard fails, its records fail and the others are taken', async () => {
  const files = new FaultyFiles();
  await using server = await withShards(2, { files });
  files.failWhen((operation, path) => operation === 'syncData' && path.includes('/0/'));
  const record = (ExplicitHashKey: string) => ({ Data: base64('x'), PartitionKey: 'k', ExplicitHashKey });
  const top = `${HASH_KEY_MAX}`;
  const put = await call(server, 'PutRecords', {
    StreamName,
    Records: [record('0'), record(top), record('0')],
  });
  const failed = { ErrorCode: 'InternalFailure', ErrorMessage: 'Internal service failure.' };
  expect(put.FailedRecordCount).toBe(2);
  expect(put.Records).toEqual([
    failed,
    { ShardId: 'shardId-000000000001', SequenceNumber: expect.stringMatching(/^\d{56}$/) },
    failed,
  ]);
  await expect(call(server, 'PutRecord', { StreamName, ...record('0') })).rejects.toThrow(
    /^InternalFailureException/,
  );
  expect(await texts(server, StreamName)).toEqual([]);
  files.failWhen(() => false);
  await putTexts(server, StreamName, ['y']);
});

test('a full stream refuses records one by one, names the option, and drops nothing', async () => {
  await using server = await withShards(1, { maxBytes: 1_000 });
  const Records = Array.from({ length: 3 }, () => ({ Data: base64('x'.repeat(400)), PartitionKey: 'k' }));
  const put = await call(server, 'PutRecords', { StreamName, Records });
  expect(put.FailedRecordCount).toBe(1);
  expect(put.Records.map(({ ErrorCode }) => ErrorCode)).toEqual([
    undefined,
    undefined,
    'ProvisionedThroughputExceededException',
  ]);
  expect(put.Records[2]!.ErrorMessage).toMatch(/The embedded stream is full.*stream\.maxBytes/);
  await expect(call(server, 'PutRecord', { StreamName, ...Records[0]! })).rejects.toThrow(
    /^ProvisionedThroughputExceededException: The embedded stream is full.*stream\.maxBytes/,
  );
  expect(await texts(server, StreamName)).toHaveLength(2);
  // Deleting a stream makes room.
  await call(server, 'DeleteStream', { StreamName });
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  await putTexts(server, StreamName, ['x']);
});

const key = 'k';
const wrongPuts: [string, object[], RegExp][] = [
  [
    '501 records',
    Array(501).fill({ Data: '', PartitionKey: key }),
    /^ValidationException: .*at 'records' .*less than or equal to 500/,
  ],
  ['no records', [], /^ValidationException: .*at 'records' .*greater than or equal to 1/],
  [
    'a record of more than 1 MiB',
    [{ Data: base64('x'.repeat(2 ** 20)), PartitionKey: key }],
    /^ValidationException: .*records\.1\.member\.data.*less than or equal to 1048576/,
  ],
  [
    'more than 10 MiB',
    Array(11).fill({ Data: base64('x'.repeat(1_000_000)), PartitionKey: key }),
    /^InvalidArgumentException: Records size exceeds 10 MB/,
  ],
  ['a cut base64', [{ Data: 'AAA', PartitionKey: key }], /^SerializationException: .*multiple of 4/],
  ['no base64', [{ Data: 'A*AA', PartitionKey: key }], /^SerializationException: .*Invalid Base64 character/],
  [
    'base64 for addresses',
    [{ Data: 'A-_A', PartitionKey: key }],
    /^SerializationException: .*Invalid Base64 character/,
  ],
  [
    'a number as data',
    [{ Data: 1, PartitionKey: key }],
    /^SerializationException: .*can not be converted to a Blob/,
  ],
];

test.each(wrongPuts)('%s is refused as a whole', async (_what, wrong, error) => {
  await using server = await withShards(1);
  await expect(call(server, 'PutRecords', { StreamName, Records: wrong as never })).rejects.toThrow(error);
  expect(await texts(server, StreamName)).toEqual([]);
});

test('a stream made for larger records takes them', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1, MaxRecordSizeInKiB: 10_240 });
  const large = 'x'.repeat(10 * 2 ** 20 - 3);
  await putTexts(server, StreamName, [large]);
  expect(await texts(server, StreamName)).toEqual([large]);
});

test('putting to a stream that is not there, or no more, is ResourceNotFoundException', async () => {
  await using server = await withShards(1);
  const record = { Data: '', PartitionKey: key };
  const missing = /^ResourceNotFoundException: Stream nothing under account 000000000000 not found\.$/;
  await expect(call(server, 'PutRecord', { StreamName: 'nothing', ...record })).rejects.toThrow(missing);
  const StreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/nothing';
  await expect(call(server, 'PutRecord', { StreamARN, ...record })).rejects.toThrow(missing);
  await expect(call(server, 'PutRecord', { StreamName, StreamARN, ...record })).rejects.toThrow(
    /^InvalidArgumentException/,
  );
});

const any = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.string({ maxLength: 300 }));
const records = fc.array(
  fc.oneof(
    any,
    fc.record(
      { Data: fc.oneof(any, fc.base64String()), PartitionKey: any, ExplicitHashKey: any },
      { requiredKeys: [] },
    ),
    fc.record({ Data: fc.base64String(), PartitionKey: fc.string({ minLength: 1 }) }),
  ),
  { maxLength: 4 },
);

test('records that pass the quick check would pass the full one', () => {
  const shape = { Records: INPUT_SHAPES.PutRecords['Records']! };
  fc.assert(
    fc.property(fc.oneof(records, any), (Records) => {
      if (areSound(Records)) checkConstraints(checkTypes({ Records }, shape), shape);
    }),
    { numRuns: 500 },
  );
});
