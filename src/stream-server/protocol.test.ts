import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INPUT_SHAPES } from './input-shapes.ts';
import { base64, call, type RawRequest, raw, signedHeaders, testServer } from './test-server.ts';

const list = signedHeaders('ListStreams');
const without = (name: string) => Object.fromEntries(Object.entries(list).filter(([key]) => key !== name));

test('every answer has a request id, an extended id, and the time of the clock', async () => {
  await using server = await testServer();
  for (const headers of [list, without('authorization'), {}]) {
    const answer = await raw(server, { headers, body: '{}' });
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['x-amz-id-2']).toMatch(/^[\w+/]{96}$/);
    expect(answer.headers.date).toBe('Mon, 05 Jan 2026 12:00:00 GMT');
    expect(answer.headers.server).toBe('lakeward');
  }
});

test('operations without output answer with an empty body', async () => {
  await using server = await testServer();
  const body = JSON.stringify({ StreamName: 'events', ShardCount: 1 });
  expect(await raw(server, { headers: signedHeaders('CreateStream'), body })).toMatchObject({
    status: 200,
    body: '',
  });
});

const refusals: [string, RawRequest, number, RegExp][] = [
  ['another method', { method: 'GET' }, 403, /<AccessDeniedException>/],
  [
    'another content type',
    { headers: { ...list, 'content-type': 'text/plain' }, body: '{}' },
    404,
    /^<UnknownOperationException\/>/,
  ],
  [
    'an unknown target',
    { headers: signedHeaders('Nothing'), body: '{}' },
    400,
    /"UnknownOperationException"/,
  ],
  [
    'a property of every object as a target',
    { headers: signedHeaders('constructor'), body: '{}' },
    400,
    /"UnknownOperationException"/,
  ],
  ['no body', { headers: list }, 400, /"SerializationException"/],
  ['a cut body', { headers: list, body: '{"Limit":' }, 400, /"SerializationException"/],
  [
    'bytes that are not UTF-8',
    { headers: list, body: Buffer.from([0x7b, 0xff, 0x7d]) },
    400,
    /"SerializationException"/,
  ],
  ['an array', { headers: list, body: '[]' }, 400, /"SerializationException"/],
  [
    'no signature',
    { headers: without('authorization'), body: '{}' },
    400,
    /"MissingAuthenticationTokenException","message":"Missing Authentication Token"/,
  ],
  [
    'half a signature',
    { headers: { ...list, authorization: 'AWS4-HMAC-SHA256 Credential=a' }, body: '{}' },
    400,
    /"IncompleteSignatureException".*'Signature' parameter.*'SignedHeaders' parameter/,
  ],
  [
    'two signatures',
    { path: '/?X-Amz-Algorithm=x', headers: list, body: '{}' },
    400,
    /"InvalidSignatureException"/,
  ],
  [
    'a wrong type',
    { headers: list, body: '{"Limit":"3"}' },
    400,
    /"SerializationException","Message":"class java.lang.String can not be converted to an Integer"/,
  ],
  [
    'a broken constraint',
    { headers: list, body: '{"Limit":0}' },
    400,
    /"ValidationException","message":"1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"/,
  ],
];

test.each(refusals)("%s gets the service's own error", async (_what, request, status, body) => {
  await using server = await testServer();
  const answer = await raw(server, request);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatch(body);
});

test('a body of more than 16 MiB is refused, and the server goes on', async () => {
  await using server = await testServer();
  const body = Buffer.alloc(17 * 1024 * 1024, 0x20);
  const answer = await raw(server, { headers: signedHeaders('PutRecords'), body });
  expect(answer.status).toBe(413);
  expect(answer.body).toContain('"RequestEntityTooLargeException"');
  expect(await call(server, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
});

test('several broken constraints are told together, with their places', async () => {
  await using server = await testServer();
  const Records = [{ Data: base64('x'), PartitionKey: '' }, { PartitionKey: 'k'.repeat(257) }];
  const put = call(server, 'PutRecords', { StreamName: 'a b', Records: Records as never });
  await expect(put).rejects.toThrow(
    new RegExp(
      [
        '^ValidationException: 4 validation errors detected: ',
        "Value '' at 'records\\.1\\.member\\.partitionKey' failed .*greater than or equal to 1; ",
        "Value '[^']+' at 'records\\.2\\.member\\.partitionKey' failed .*less than or equal to 256; ",
        "Value null at 'records\\.2\\.member\\.data' failed to satisfy constraint: Member must not be null; ",
        "Value 'a b' at 'streamName' failed .*pattern: \\[a-zA-Z0-9_.-\\]\\+$",
      ].join(''),
    ),
  );
});

test('a browser may ask from elsewhere', async () => {
  await using server = await testServer();
  const headers = { origin: 'http://example.org', 'access-control-request-headers': 'x-amz-target' };
  const answer = await raw(server, { method: 'OPTIONS', headers });
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'x-amz-target',
  });
});

const isKinesisShaped = (body: string) =>
  /^\{"__type":"\w+"(,"[Mm]essage":".*")?\}$/s.test(body) || /^<\w+(\/>|>\n)/.test(body);

const json = fc.jsonValue({ maxDepth: 4 });
const member = fc.constantFrom(
  ...new Set(Object.values(INPUT_SHAPES).flatMap((shape) => Object.keys(shape))),
);
const likelyInput = fc.dictionary(
  member,
  fc.oneof(json, fc.constantFrom('events', 'shardId-0', 'AQ==', 1, 1e300)),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  json.map((value) => Buffer.from(JSON.stringify(value))),
  likelyInput.map((value) => Buffer.from(JSON.stringify(value))),
);
const target = fc.oneof(
  fc.constantFrom(...Object.keys(INPUT_SHAPES)),
  fc.stringMatching(/^[ -~]{0,30}$/).map((text) => text.trim()),
);

test('whatever is sent, the answer is one of the service and the server goes on', async () => {
  await using server = await testServer();
  await call(server, 'CreateStream', { StreamName: 'events', ShardCount: 2 });
  await fc.assert(
    fc.asyncProperty(target, body, async (operation, sent) => {
      const answer = await raw(server, { headers: signedHeaders(operation), body: sent });
      expect([200, 400, 403, 404]).toContain(answer.status);
      if (answer.status !== 200) expect(answer.body).toSatisfy(isKinesisShaped);
    }),
    { numRuns: 400 },
  );
  expect(await call(server, 'ListStreams', {})).toHaveProperty('StreamNames');
}, 60_000);

test('connections that speak neither version of HTTP, or break off, do no harm', async () => {
  await using server = await testServer();
  for (const bytes of [
    '',
    'P',
    'PRI',
    'PRI * HTTP/2.0\r\n\r\nXX',
    '\0\0\0',
    'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx',
  ])
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.end(bytes, 'latin1'));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
    });
  expect(await call(server, 'ListStreams', {})).toMatchObject({ StreamNames: [] });
});

test('a preface that comes byte by byte still begins HTTP/2', async () => {
  await using server = await testServer();
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  const first = new Promise<Buffer>((resolve) => socket.once('data', resolve));
  for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  // A SETTINGS frame.
  expect((await first)[3]).toBe(4);
  socket.destroy();
});

test('an HTTP/1.1 request whose first byte comes alone is not taken for HTTP/2', async () => {
  await using server = await testServer();
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  const first = new Promise<string>((resolve) =>
    socket.once('data', (bytes) => resolve(bytes.toString('latin1'))),
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('P');
  // The server has seen the byte when it has answered somebody who came later.
  await call(server, 'ListStreams', {});
  socket.write('OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  expect(await first).toMatch(/^HTTP\/1\.1 403 /);
  socket.destroy();
});
