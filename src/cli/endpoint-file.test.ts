import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readEndpoint, writeEndpoint } from './endpoint-file.ts';

it('is believed once something answers there, whose answer is not waited for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'endpoint-'));
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });
  await once(server, 'listening');
  const gone = Promise.withResolvers<void>();
  server.on('request', (_, response: ServerResponse) => {
    response.on('close', gone.resolve);
    response.write('an answer without an end');
  });
  const endpoint = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pid: process.pid,
  };
  await writeEndpoint(dir, endpoint);
  // Neither time nor the garbage collector, which the answer is kept from, may end what is left open.
  const neverOver = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(new AbortController().signal);
  const asked = vi.spyOn(globalThis, 'fetch');
  onTestFinished(() => void vi.restoreAllMocks());
  expect(await readEndpoint(dir)).toEqual(endpoint);
  await gone.promise;
  expect([neverOver, asked].map((spy) => spy.mock.calls.length)).toEqual([1, 1]);
});

it('that a crash left behind says nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'endpoint-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeEndpoint(dir, { endpoint: 'http://127.0.0.1:1', pid: 1 });
  expect(await readEndpoint(dir)).toBeUndefined();
});
