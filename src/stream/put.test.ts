import { expect, it } from 'vitest';
import { type StreamUnderTest, streamUnderTest } from '../../tests/support/stream-under-test.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import type { SendProgress } from './stream.ts';

async function* records(count: number, body = (i: number) => `record ${i}`): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.from(body(i));
}

const stored = ({ fake }: StreamUnderTest) => [...fake.contents('events').values()].flat();
const expected = (count: number) => Array.from({ length: count }, (_, i) => `record ${i}`).toSorted();

it('puts every record, at most 500 in a request, over all shards', async () => {
  const test = await streamUnderTest({ shards: 3 });
  const sum = await test.stream.send(records(1_234));
  expect(sum).toEqual({ records: 1_234, bytes: stored(test).join('').length, retried: 0 });
  expect(stored(test).toSorted()).toEqual(expected(1_234));
  expect(test.fake.count('PutRecords')).toBe(3);
  for (const shard of test.fake.contents('events').values()) expect(shard.length).toBeGreaterThan(300);
});

it('puts again only what was refused', async () => {
  const test = await streamUnderTest();
  test.fake.script('PutRecords', { refuse: [1, 3] }, { refuse: [0], code: 'InternalFailure' });
  const sum = await test.stream.send(records(5), { inFlight: 1 });
  expect(sum).toMatchObject({ records: 5, retried: 3 });
  expect(stored(test).toSorted()).toEqual(expected(5));
});

it('goes on after throttles and outages of the whole request', async () => {
  const test = await streamUnderTest();
  test.fake.script(
    'PutRecords',
    { error: 'ProvisionedThroughputExceededException' },
    { error: 'ServiceUnavailable', status: 503 },
    { error: 'LimitExceededException' },
  );
  await test.stream.send(records(10));
  expect(stored(test).toSorted()).toEqual(expected(10));
});

it('puts again what it has no answer for: twice is better than never', async () => {
  const test = await streamUnderTest();
  test.fake.script('PutRecords', { lost: true });
  expect(await test.stream.send(records(2))).toMatchObject({ records: 2 });
  expect(stored(test)).toEqual(['record 0', 'record 1', 'record 0', 'record 1']);
});

it('keeps requests within 10 MiB', async () => {
  const test = await streamUnderTest();
  await test.stream.send(
    records(25, () => 'x'.repeat(1_000_000)),
    { inFlight: 1 },
  );
  expect(
    test.fake.requests
      .filter((r) => r.operation === 'PutRecords')
      .map((r) => (r.input['Records'] as []).length),
  ).toEqual([10, 10, 5]);
});

it('names a record over the limit when everything before it is sent and nothing after it', async () => {
  const test = await streamUnderTest();
  const sending = test.stream.send(records(10, (i) => (i === 7 ? 'x'.repeat(1 << 20) : `record ${i}`)));
  await expect(sending).rejects.toMatchObject({
    code: 'stream.record_too_large',
    message: 'record 8 is too large for the stream',
    fault: 'user',
  });
  expect(stored(test)).toEqual(expected(7));
});

it('takes the limit of a record from the stream', async () => {
  const test = await streamUnderTest();
  test.fake.recordKiBMax = 2048;
  await test.stream.send(records(1, () => 'x'.repeat(2_000_000)));
  expect(stored(test)[0]).toHaveLength(2_000_000);
});

it('keeps records of one key in one shard', async () => {
  const test = await streamUnderTest({ shards: 4 });
  await test.stream.send(records(100), { partitionKey: () => 'same' });
  expect([...test.fake.contents('events').values()].map((s) => s.length).toSorted()).toEqual([0, 0, 0, 100]);
});

it('sends keys of every script as they are', async () => {
  const test = await streamUnderTest();
  const keys = ['ключ', '鍵 "1"', '🔑', '\n\\'];
  await test.stream.send(records(4), { partitionKey: (_, index) => keys[index]! });
  const { input } = test.fake.requests.find((r) => r.operation === 'PutRecords')!;
  expect((input['Records'] as { PartitionKey: string }[]).map((r) => r.PartitionKey)).toEqual(keys);
});

it('does not keep the records of a slow source waiting for a full request', async () => {
  const clock = new VirtualClock();
  const test = await streamUnderTest({ clock });
  const next = Promise.withResolvers<void>();
  const acknowledged = Promise.withResolvers<SendProgress>();
  async function* slow() {
    yield Buffer.from('first');
    await next.promise;
  }
  const lingering = clock.whenSleeping(40);
  const sending = test.stream.send(slow(), { linger_ms: 40, onProgress: acknowledged.resolve });
  await lingering;
  clock.advance(40);
  expect(await acknowledged.promise).toMatchObject({ records: 1 });
  next.resolve();
  await sending;
  expect(clock.sleeping).toBe(0);
});

it('ends with the failure of a request though the source has nothing more to give', async () => {
  const test = await streamUnderTest();
  test.fake.script('PutRecords', { error: 'AccessDeniedException' });
  async function* endless() {
    yield* records(500);
    await new Promise(() => {});
  }
  await expect(test.stream.send(endless())).rejects.toMatchObject({ code: 'kinesis.AccessDeniedException' });
});

it('says what got through when it is stopped', async () => {
  const test = await streamUnderTest();
  const stopping = new AbortController();
  async function* stopped() {
    yield* records(3);
    stopping.abort();
    await new Promise(() => {});
  }
  expect(await test.stream.send(stopped(), { signal: stopping.signal })).toMatchObject({ records: 3 });
});

it('gives up when nothing gets through for long', async () => {
  const test = await streamUnderTest();
  for (let i = 0; i < 30; i++) test.fake.script('PutRecords', { error: 'InternalFailure', status: 500 });
  await expect(test.stream.send(records(1))).rejects.toMatchObject({
    code: 'kinesis.InternalFailure',
    retry: 'backoff',
  });
});

it('says that there is no such stream', async () => {
  const test = await streamUnderTest({ name: 'other' });
  await expect(test.stream.send(records(1))).rejects.toMatchObject({
    code: 'stream.not_found',
    fault: 'user',
  });
});
