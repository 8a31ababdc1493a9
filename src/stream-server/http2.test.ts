import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { expect, test } from 'vitest';
import { FaultyFiles } from './faulty-files.ts';
import { base64, call, putTexts, signedHeaders, testServer, texts } from './test-server.ts';

const StreamName = 'events';

function post(session: ClientHttp2Session, operation: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...signedHeaders(operation) });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    stream.end(body);
  });
}

test('many requests at once on one connection, with large bodies both ways', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const session = connect(server.endpoint);
  const Records = Array.from({ length: 500 }, (_, i) => ({
    Data: base64('x'.repeat(1000 + i)),
    PartitionKey: `${i}`,
  }));
  const body = JSON.stringify({ StreamName, Records });
  const puts = await Promise.all(Array.from({ length: 12 }, () => post(session, 'PutRecords', body)));
  expect(puts.every((put) => put.startsWith('{"FailedRecordCount":0,'))).toBe(true);
  expect(await texts(server, StreamName)).toHaveLength(6_000);
  session.destroy();
});

test('a client that leaves before its answer leaves the server in order', async () => {
  const files = new FaultyFiles();
  await using server = await testServer({ files });
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  const session = connect(server.endpoint);
  session.on('error', () => {});
  const release = files.holdSyncs();
  const record = { StreamName, Data: base64('a'), PartitionKey: 'k' };
  const stream = session.request({ ':method': 'POST', ':path': '/', ...signedHeaders('PutRecord') });
  stream.on('error', () => {});
  stream.end(JSON.stringify(record));
  while (!files.done.some((entry) => entry.startsWith('syncData'))) await new Promise((r) => setImmediate(r));
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await closed;
  session.destroy();
  release();
  await putTexts(server, StreamName, ['b']);
  expect(await texts(server, StreamName)).toEqual(['a', 'b']);
});

test('a server that listens on every address names one at which it is reached', async () => {
  await using server = await testServer({ host: '0.0.0.0' });
  expect(server.endpoint).toBe(`http://127.0.0.1:${server.port}`);
  await call(server, 'CreateStream', { StreamName, ShardCount: 1 });
  expect(await texts(server, StreamName)).toEqual([]);
});
