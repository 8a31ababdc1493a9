import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { silentLog, systemClock } from '../base/base.ts';
import { openStreamServer, SERVER_ID_HEADER } from '../stream-server/stream-server.ts';
import { readEndpoint, writeEndpoint } from './endpoint-file.ts';

const serverIn = (folder: string, port = 0) =>
  openStreamServer({
    ...{ folder: join(folder, 'stream'), port, region: 'us-east-1', maxBytes: 1e9, retention_ms: 3_600_000 },
    ...{ clock: systemClock, log: silentLog },
  });

it('names the server of the folder as long as that answers, and no other that has its address', async () => {
  const [mine, other] = [await lakeFolder(), await lakeFolder()];
  const server = await serverIn(mine);
  await writeEndpoint(mine, server, 'http://127.0.0.1:8181');
  const told = { endpoint: server.endpoint, pid: process.pid, catalog: 'http://127.0.0.1:8181' };
  expect(await readEndpoint(mine)).toMatchObject(told);
  // As after a crash: the file stays.
  await server.close();
  expect(await readEndpoint(mine)).toBeUndefined();
  await using stack = new AsyncDisposableStack();
  stack.adopt(await serverIn(other, server.port), (successor) => successor.close());
  expect(await readEndpoint(mine)).toBeUndefined();
  // An older version told nothing of who answers.
  const { server: _, ...old } = JSON.parse(await readFile(join(mine, 'endpoint.json'), 'utf8'));
  await writeFile(join(mine, 'endpoint.json'), JSON.stringify(old));
  expect(await readEndpoint(mine)).toMatchObject(told);
});

it('is believed once something answers there, whose answer is not waited for', async () => {
  const dir = await lakeFolder();
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const gone = Promise.withResolvers<void>();
  server.on('request', (_, response: ServerResponse) => {
    response.setHeader(SERVER_ID_HEADER, 'this one');
    response.on('close', gone.resolve);
    response.write('an answer without an end');
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeEndpoint(dir, { endpoint, id: 'this one' });
  // Neither time nor the garbage collector, which the answer is kept from, may end what is left open.
  const neverOver = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal);
  const asked = vi.spyOn(globalThis, 'fetch');
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await readEndpoint(dir)).toMatchObject({ endpoint, pid: process.pid });
  await gone.promise;
  expect([neverOver, asked].map((spy) => spy.mock.calls.length)).toEqual([1, 1]);
});

it('that a crash left behind says nothing', async () => {
  const dir = await lakeFolder();
  await writeEndpoint(dir, { endpoint: 'http://127.0.0.1:1', id: 'none' });
  expect(await readEndpoint(dir)).toBeUndefined();
});
