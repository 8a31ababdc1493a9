import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { toldLog } from '../../tests/support/told-log.ts';
import { listening } from './listening.ts';

const log = toldLog();
const HEALTH = {
  area: 'health',
  doing: 'cannot serve health',
  hint: 'choose another port',
  docs: 'README.md',
  log,
};

function newServer(): Server {
  const server = createServer();
  onTestFinished(() => void server.close());
  return server;
}

test('tells where it listens, as a client on this machine asks', async () => {
  const { port, uri } = await listening(newServer(), { ...HEALTH, host: '127.0.0.1', port: 0 });
  expect(port).toBeGreaterThan(0);
  expect(uri).toBe(`http://127.0.0.1:${port}`);
  const everywhere = await listening(newServer(), { ...HEALTH, host: '0.0.0.0', port: 0 });
  expect(everywhere.uri).toBe(`http://127.0.0.1:${everywhere.port}`);
});

test('a port that is taken is told from an address that is none', async () => {
  const { port } = await listening(newServer(), { ...HEALTH, host: '127.0.0.1', port: 0 });
  await expect(listening(newServer(), { ...HEALTH, host: '127.0.0.1', port })).rejects.toMatchObject({
    message: `cannot serve health on 127.0.0.1:${port}`,
    ...{ code: 'health.port_taken', fault: 'user', hint: 'choose another port' },
  });
  await expect(listening(newServer(), { ...HEALTH, host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
    code: 'health.cannot_listen',
  });
});

test('trouble with connections is said, however often it comes, and ends nothing', async () => {
  const server = newServer();
  const { uri } = await listening(server, { ...HEALTH, host: '127.0.0.1', port: 0 });
  for (let time = 0; time < 3; time++) server.emit('error', new Error('accept EMFILE'));
  expect(log.told).toEqual(
    Array.from({ length: 3 }, () => ({
      ...{ level: 'warn', id: 'server.trouble', text: expect.any(String) },
      fields: { uri, why: 'accept EMFILE' },
    })),
  );
  expect(server.listening).toBe(true);
});
