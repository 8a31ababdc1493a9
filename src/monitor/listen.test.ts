import { request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../base/base.ts';
import type { Health, Progressed } from './health.ts';
import { type Listener, listen } from './listen.ts';

const OK: Health & Progressed = {
  ...{ status: 'ok', live: true, reasons: [], reached: { stream: 0 } },
  ...{ lag_ms: 1_500.4, lastCommits_ms: { 'raw.events': 1_000 } },
};
const REASON = {
  ...{ code: 'stream.unreachable', what: 'no stream', why: 'refused', fix: 'wait' },
  ...{ since_ms: 1_000, failures: 3 },
};

async function served(health: typeof OK): Promise<Listener> {
  const monitor = { health: () => health, metrics: async (format: string) => `# ${format}\n` };
  const listener = await listen({ monitor, host: '127.0.0.1', port: 0, log: silentLog });
  onTestFinished(() => listener.close());
  return listener;
}

function ask(
  { port }: Listener,
  { path = '/health/ready', method = 'GET', host = `127.0.0.1:${port}`, accept = '*/*' } = {},
): Promise<{ status: number; type: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { port, path, method, host: '127.0.0.1', headers: { host, accept } },
      async (answer) => {
        let body = '';
        for await (const chunk of answer) body += chunk;
        resolve({ status: answer.statusCode!, type: answer.headers['content-type'], body });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

it('says that all is well with 200', async () => {
  const listener = await served(OK);
  for (const path of ['/health/live', '/health/ready']) {
    const { status, body } = await ask(listener, { path });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      status: 'ok',
      live: true,
      reasons: [],
      reached: { stream: '1970-01-01T00:00:00.000Z' },
      lag_ms: 1_500,
      lastCommits: { 'raw.events': '1970-01-01T00:00:01.000Z' },
    });
  }
});

it('in an outage is not ready but live: nobody may restart it for that', async () => {
  const listener = await served({ ...OK, status: 'degraded', reasons: [REASON] });
  expect((await ask(listener, { path: '/health/live' })).status).toBe(200);
  const { status, body } = await ask(listener);
  expect(status).toBe(503);
  expect(JSON.parse(body).reasons).toEqual([
    {
      ...{ code: 'stream.unreachable', what: 'no stream', why: 'refused', fix: 'wait', failures: 3 },
      since: '1970-01-01T00:00:01.000Z',
    },
  ]);
});

it('is not live when a restart would help', async () => {
  const listener = await served({ ...OK, status: 'degraded', live: false });
  expect((await ask(listener, { path: '/health/live' })).status).toBe(503);
});

it('serves metrics in the format that is asked for', async () => {
  const listener = await served(OK);
  expect(await ask(listener, { path: '/metrics' })).toMatchObject({
    ...{ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: '# prometheus\n' },
  });
  const accept = 'application/openmetrics-text; version=1.0.0';
  expect((await ask(listener, { path: '/metrics', accept })).body).toBe('# openmetrics\n');
});

it.each(['evil.example', '127.0.0.1.evil.example', 'evil.example:80'])(
  'turns away a page whose name was made to mean this machine: %s',
  async (host) => {
    const { status, body } = await ask(await served(OK), { path: '/metrics', host });
    expect([status, body]).toEqual([403, 'the Host header names another server\n']);
  },
);

it.each(['localhost', 'localhost:9464', '[::1]:9464'])('lets this machine in as %s', async (host) => {
  expect((await ask(await served(OK), { host })).status).toBe(200);
});

it('only reads: other methods and paths are refused', async () => {
  const listener = await served(OK);
  expect((await ask(listener, { method: 'POST' })).status).toBe(405);
  expect((await ask(listener, { path: '/' })).status).toBe(404);
  expect(await ask(listener, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

it('says when a port is taken', async () => {
  const { port } = await served(OK);
  const monitor = { health: () => OK, metrics: async () => '' };
  await expect(listen({ monitor, host: '127.0.0.1', port, log: silentLog })).rejects.toMatchObject({
    code: 'monitor.port_taken',
  });
});
