import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CBOR_CONTENT_TYPE, decodeCbor, encodeCbor, type OperationName } from '../kinesis/kinesis.ts';
import { INPUT_SHAPES } from './input-shapes.ts';
import {
  base64,
  call,
  iterator,
  raw,
  signedHeaders,
  type TestServer,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';
// biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member.
type Decoded = any;

interface CborAnswer {
  status: number;
  type: string | undefined;
  output: Decoded;
}

/** `input` as bytes, or as what is to be encoded. */
async function cbor(
  server: TestServer,
  operation: OperationName | string,
  input: object,
): Promise<CborAnswer> {
  const headers = { ...signedHeaders(operation), 'content-type': CBOR_CONTENT_TYPE };
  const body = Buffer.isBuffer(input) ? input : encodeCbor(input);
  const answer = await raw(server, { headers, body });
  const output = answer.bytes.length === 0 ? undefined : decodeCbor(answer.bytes);
  return { status: answer.status, type: answer.headers['content-type'], output };
}

async function withStream(): Promise<TestServer> {
  const server = await testServer();
  expect(await cbor(server, 'CreateStream', { StreamName, ShardCount: 1 })).toEqual({
    status: 200,
    type: CBOR_CONTENT_TYPE,
    output: undefined,
  });
  return server;
}

test('bytes put as CBOR come back as bytes, in CBOR and in JSON', async () => {
  await using server = await withStream();
  const keys = ['k', 'ключ "\\', '\u0001', 'x'.repeat(256)];
  const Records = keys.map((PartitionKey, i) => ({ Data: Buffer.alloc(i * 300, i), PartitionKey }));
  const put = await cbor(server, 'PutRecords', { StreamName, Records });
  expect(put.output).toMatchObject({ FailedRecordCount: 0, EncryptionType: 'NONE' });
  const { output } = await cbor(server, 'GetRecords', { ShardIterator: await iterator(server, StreamName) });
  expect(output.Records).toHaveLength(4);
  for (const [i, record] of output.Records.entries()) {
    expect({ ...record }).toEqual({
      SequenceNumber: put.output.Records[i].SequenceNumber,
      ApproximateArrivalTimestamp: server.clock.now(),
      Data: Records[i]!.Data,
      PartitionKey: keys[i],
    });
  }
  expect(output).toMatchObject({ MillisBehindLatest: 0, NextShardIterator: expect.any(String) });
  const json = await call(server, 'GetRecords', { ShardIterator: await iterator(server, StreamName) });
  expect(json.Records.map(({ Data }) => Data)).toEqual(Records.map(({ Data }) => Data.toString('base64')));
});

test('a record as it stands in the body: four members, bytes without base64, a tagged time', async () => {
  await using server = await withStream();
  await cbor(server, 'PutRecord', { StreamName, Data: Buffer.from('abc'), PartitionKey: 'k' });
  const headers = { ...signedHeaders('GetRecords'), 'content-type': CBOR_CONTENT_TYPE };
  const body = encodeCbor({ ShardIterator: await iterator(server, StreamName) });
  const { bytes } = await raw(server, { headers, body });
  const time = BigInt(server.clock.now()).toString(16).padStart(16, '0');
  const member = (name: string) => `${(0x60 | name.length).toString(16)}${Buffer.from(name).toString('hex')}`;
  expect(bytes.toString('hex')).toContain(
    `781b${Buffer.from('ApproximateArrivalTimestamp').toString('hex')}c11b${time}` +
      `${member('Data')}43616263${member('PartitionKey')}616b`,
  );
  expect(bytes.toString('hex')).toMatch(new RegExp(`^a3${member('Records')}9a00000001a4`));
});

test('an answer of many records is one body', async () => {
  await using server = await withStream();
  const Records = Array.from({ length: 500 }, (_, i) => ({ Data: Buffer.from(`${i}`), PartitionKey: 'k' }));
  for (let i = 0; i < 4; i++) await cbor(server, 'PutRecords', { StreamName, Records });
  const { output } = await cbor(server, 'GetRecords', { ShardIterator: await iterator(server, StreamName) });
  expect(output.Records.map(({ Data }: Decoded) => Number(Data))).toEqual(
    Array.from({ length: 2_000 }, (_, i) => i % 500),
  );
});

test('data sent as text is base64, as some clients have it', async () => {
  await using server = await withStream();
  const put = await cbor(server, 'PutRecord', { StreamName, Data: base64('abc'), PartitionKey: 'k' });
  expect(put.status).toBe(200);
  expect(await texts(server, StreamName)).toEqual(['abc']);
});

test('what clients make without knowing the length beforehand is understood', async () => {
  await using server = await withStream();
  const part = (hex: string, text: string) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(text)]);
  const body = Buffer.concat([
    Buffer.from('bf', 'hex'),
    part('6a', 'StreamName'),
    part('7f63', 'eve'),
    part('63', 'nts'),
    Buffer.from('ff', 'hex'),
    part('64', 'Data'),
    part('5f41', 'a'),
    part('42', 'bc'),
    Buffer.from('ff', 'hex'),
    part('6c', 'PartitionKey'),
    part('61', 'k'),
    Buffer.from('ff', 'hex'),
  ]);
  expect((await cbor(server, 'PutRecord', body)).status).toBe(200);
  expect(await texts(server, StreamName)).toEqual(['abc']);
});

test('times are milliseconds both ways, tagged or not', async () => {
  await using server = await withStream();
  const created_ms = server.clock.now();
  await cbor(server, 'PutRecord', { StreamName, Data: Buffer.from('old'), PartitionKey: 'k' });
  server.clock.move(60_000);
  await cbor(server, 'PutRecord', { StreamName, Data: Buffer.from('new'), PartitionKey: 'k' });
  const { output } = await cbor(server, 'DescribeStreamSummary', { StreamName });
  expect(output.StreamDescriptionSummary.StreamCreationTimestamp).toBe(created_ms);
  const at = { StreamName, ShardId: 'shardId-000000000000', ShardIteratorType: 'AT_TIMESTAMP' };
  // As an object's member it is written as a time with a tag, in a map of other names as a number.
  const tagged = encodeCbor({ ...at, Timestamp: (created_ms + 1) / 1000 });
  const bare = Buffer.concat([
    Buffer.from([0xa4]),
    encodeCbor(at).subarray(1),
    encodeCbor('Timestamp'),
    encodeCbor(created_ms + 1),
  ]);
  for (const body of [tagged, bare]) {
    const { output: answer } = await cbor(server, 'GetShardIterator', body);
    const read = await cbor(server, 'GetRecords', { ShardIterator: answer.ShardIterator });
    expect(read.output.Records.map(({ Data }: Decoded) => String(Data))).toEqual(['new']);
  }
  const filter = { Type: 'AT_TIMESTAMP', Timestamp: created_ms / 1000 };
  const listed = await cbor(server, 'ListShards', { StreamName, ShardFilter: filter });
  expect(listed.output.Shards).toHaveLength(1);
});

test.each([
  ['a cut body', 'ListStreams', Buffer.from('a1', 'hex'), 'SerializationException'],
  ['a list', 'ListStreams', Buffer.from('80', 'hex'), 'SerializationException'],
  ['bytes', 'ListStreams', Buffer.from('4161', 'hex'), 'SerializationException'],
  ['JSON', 'ListStreams', Buffer.from('{}'), 'SerializationException'],
  ['a wrong type', 'ListStreams', { Limit: 'x' }, 'SerializationException'],
  ['bytes for a text', 'DescribeStream', { StreamName: Buffer.from('a') }, 'SerializationException'],
  ['bytes for a map', 'CreateStream', { Tags: Buffer.from('a') }, 'SerializationException'],
  ['a broken constraint', 'ListStreams', { Limit: 0 }, 'ValidationException'],
  ['no data', 'PutRecord', { StreamName, PartitionKey: 'k' }, 'ValidationException'],
  ['an unknown stream', 'DescribeStream', { StreamName: 'other' }, 'ResourceNotFoundException'],
  ['an unknown operation', 'Nothing', {}, 'UnknownOperationException'],
] as [string, string, object, string][])('%s is an error in CBOR', async (_what, operation, input, name) => {
  await using server = await testServer();
  const { status, type, output } = await cbor(server, operation, input);
  expect([status, type, output.__type]).toEqual([400, CBOR_CONTENT_TYPE, name]);
});

test('records that are too large in CBOR are refused as in JSON, the whole request at once', async () => {
  await using server = await withStream();
  const record = (bytes: number) => ({ Data: Buffer.alloc(bytes), PartitionKey: 'k' });
  const put = await cbor(server, 'PutRecords', { StreamName, Records: [record(1), record(1024 * 1024)] });
  expect(put.output).toMatchObject({ __type: 'ValidationException' });
  expect(await texts(server, StreamName)).toEqual([]);
  const body = Buffer.alloc(17 * 1024 * 1024, 0x20);
  expect((await cbor(server, 'PutRecords', body)).output.__type).toBe('RequestEntityTooLargeException');
});

const names = Object.values(INPUT_SHAPES).flatMap((shape) => Object.keys(shape));
const leaf = fc.oneof(
  fc.constantFrom('events', 'shardId-0', 1, 1e300, null, true),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
);
const value = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...names), leaf),
);

test('whatever the members are, the answer is one of the service, in CBOR', async () => {
  await using server = await withStream();
  const operation = fc.constantFrom(...Object.keys(INPUT_SHAPES));
  await fc.assert(
    fc.asyncProperty(operation, fc.dictionary(fc.constantFrom(...names), value), async (name, input) => {
      const { status, type, output } = await cbor(server, name, input);
      expect([200, 400]).toContain(status);
      expect(type).toBe(CBOR_CONTENT_TYPE);
      if (status === 400) expect(output.__type).toMatch(/^\w+Exception$/);
    }),
    { numRuns: 300 },
  );
});
