import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultyFiles } from './faulty-files.ts';
import {
  call,
  crashImage,
  iterator,
  ManualClock,
  putTexts,
  type TestServer,
  testServer,
  texts,
} from './test-server.ts';

const StreamName = 'events';

async function withStream(options: Parameters<typeof testServer>[0] = {}): Promise<TestServer> {
  const server = await testServer(options);
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  return server;
}

/** The newest segment file of the only shard. */
async function segments(folder: string): Promise<string[]> {
  const [stream] = await readdir(`${folder}/streams`);
  const shard = `${folder}/streams/${stream}/0`;
  return (await readdir(shard))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => `${shard}/${name}`);
}

test('after a crash the acknowledged records are there and numbering goes on above them', async () => {
  await using before = await withStream();
  const numbers = await putTexts(before, StreamName, ['a', 'b', 'c']);
  await using after = await testServer({ folder: await crashImage(before) });
  expect(await texts(after, StreamName)).toEqual(['a', 'b', 'c']);
  const [next] = await putTexts(after, StreamName, ['d']);
  expect(next! > numbers.at(-1)!).toBe(true);
  expect(await texts(after, StreamName)).toEqual(['a', 'b', 'c', 'd']);
});

test('wherever a crash tore the tail, the whole records before it stay and no number comes twice', async () => {
  await using before = await withStream();
  const put = ['first', 'second record', 'third'];
  const numbers = await putTexts(before, StreamName, put);
  const image = await crashImage(before);
  const [path] = await segments(image);
  const whole = await readFile(path!);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 64, max: whole.length }),
      fc.uint8Array({ maxLength: 40 }),
      async (kept, garbage) => {
        await writeFile(path!, Buffer.concat([whole.subarray(0, kept), garbage]));
        const folder = await mkdtemp(join(tmpdir(), 'lakeward-torn-'));
        await cp(image, folder, { recursive: true });
        const server = await testServer({ folder });
        const left = await texts(server, StreamName);
        expect(left).toEqual(put.slice(0, left.length));
        if (kept === whole.length) expect(left).toEqual(put);
        const [next] = await putTexts(server, StreamName, ['next']);
        expect(numbers.every((number) => number < next!)).toBe(true);
        expect(await texts(server, StreamName)).toEqual([...left, 'next']);
        await server.close();
        const again = await testServer({ folder });
        expect(await texts(again, StreamName)).toEqual([...left, 'next']);
        await again.close();
        await rm(folder, { recursive: true });
      },
    ),
    { numRuns: 40 },
  );
});

test('a full segment that lost its end is reported as damage, not passed over', async () => {
  const server = await withStream({ segment_bytes: 200 });
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
    await putTexts(server, StreamName, [text.repeat(50)]);
  await server.close();
  const [first, second] = await segments(server.folder);
  expect(second).toBeDefined();
  await truncate(first!, (await readFile(first!)).length - 1);
  await expect(testServer({ folder: server.folder })).rejects.toMatchObject({
    code: 'stream_server.damaged',
  });
});

test('a missing catalog over existing records is reported as damage, not begun anew', async () => {
  const server = await withStream();
  await putTexts(server, StreamName, ['a']);
  await server.close();
  await rm(`${server.folder}/catalog.json`);
  await expect(testServer({ folder: server.folder })).rejects.toMatchObject({
    code: 'stream_server.damaged',
  });
  expect(await segments(server.folder)).toHaveLength(1);
});

test('a shard iterator goes on working after a restart', async () => {
  const clock = new ManualClock();
  const before = await withStream({ clock });
  await putTexts(before, StreamName, ['a', 'b']);
  const first = await call(before, 'GetRecords', {
    ShardIterator: await iterator(before, StreamName),
    Limit: 1,
  });
  await before.close();
  await using after = await testServer({ folder: before.folder, clock });
  const second = await call(after, 'GetRecords', { ShardIterator: first.NextShardIterator! });
  expect(second.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString())).toEqual(['b']);
});

test('a clock that went back between two runs does not disturb the order', async () => {
  const clock = new ManualClock();
  const before = await withStream({ clock });
  await putTexts(before, StreamName, ['a']);
  await before.close();
  clock.move(-3_600_000);
  await using after = await testServer({ folder: before.folder, clock });
  await putTexts(after, StreamName, ['b']);
  expect(await texts(after, StreamName)).toEqual(['a', 'b']);
});

test('a stream made again under its old name is another stream', async () => {
  const clock = new ManualClock();
  const before = await withStream({ clock });
  const [number] = await putTexts(before, StreamName, ['old']);
  const old = await iterator(before, StreamName);
  const description = await call(before, 'DescribeStreamSummary', { StreamName });
  await call(before, 'DeleteStream', { StreamName });
  await before.close();
  await using after = await testServer({ folder: before.folder, clock });
  await call(after, 'CreateStream', { StreamName, ShardCount: 1 });
  const { StreamDescriptionSummary: made } = await call(after, 'DescribeStreamSummary', { StreamName });
  expect(made.StreamCreationTimestamp).not.toBe(description.StreamDescriptionSummary.StreamCreationTimestamp);
  await expect(call(after, 'GetRecords', { ShardIterator: old })).rejects.toThrow(
    /^ResourceNotFoundException/,
  );
  const start = { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const, StartingSequenceNumber: number! };
  await expect(iterator(after, StreamName, start)).rejects.toThrow(/did not come from this stream/);
  expect(await texts(after, StreamName)).toEqual([]);
});

test('a stream whose deletion was cut short is gone after a restart, its files too', async () => {
  const files = new FaultyFiles();
  const before = await withStream({ files });
  await putTexts(before, StreamName, ['a']);
  files.failWhen((operation, path) => operation === 'remove' && path.endsWith(StreamName));
  await expect(call(before, 'DeleteStream', { StreamName })).rejects.toThrow(/^InternalFailure/);
  await before.close();
  await using after = await testServer({ folder: before.folder });
  expect(await call(after, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
  expect(await readdir(`${after.folder}/streams`)).toEqual([]);
});

test('a folder that a server has open cannot be opened by another, until it is closed', async () => {
  const first = await withStream();
  await expect(testServer({ folder: first.folder })).rejects.toMatchObject({ code: 'stream_server.in_use' });
  await putTexts(first, StreamName, ['a']);
  await first.close();
  await using second = await testServer({ folder: first.folder });
  expect(await texts(second, StreamName)).toEqual(['a']);
});

test('a taken port is named as such and leaves the folder free', async () => {
  await using first = await testServer();
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-port-'));
  await expect(testServer({ folder, port: first.port })).rejects.toMatchObject({
    code: 'stream_server.port_taken',
  });
  await using second = await testServer({ folder });
  expect(second.port).not.toBe(first.port);
});

test('closing waits for puts under way: what was taken is acknowledged and durable', async () => {
  const files = new FaultyFiles();
  const server = await withStream({ files });
  const release = files.holdSyncs();
  const put = putTexts(server, StreamName, ['a']);
  while (!files.done.some((entry) => entry.startsWith('syncData'))) await new Promise((r) => setImmediate(r));
  const closed = server.close();
  release();
  expect(await put).toHaveLength(1);
  await closed;
  await using after = await testServer({ folder: server.folder });
  expect(await texts(after, StreamName)).toEqual(['a']);
});
