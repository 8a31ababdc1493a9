/**
 * compose.yaml, as far as it can be tried without an engine: it is what Compose's specification allows, what it names
 * is there, and its service does what it says when its command is started with its environment.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { endpointOf, lakeward, start } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';

const python = await pythonWith('deployment');
const dockerfile = readFileSync(join(PROJECT, 'Dockerfile'), 'utf8');

interface Service {
  build: string;
  command: string[];
  environment: Record<string, string>;
  stop_grace_period: string;
}

describeWith(python, 'compose.yaml', () => {
  let services: Record<string, Service>;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeward-compose-'));
    ({ services } = await python.run<{ services: Record<string, Service> }>(
      join(import.meta.dirname, 'read_compose.py'),
      { compose: join(PROJECT, 'compose.yaml') },
    ));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('satisfies the specification, and builds where there is a Dockerfile', () => {
    expect(Object.keys(services)).toEqual(['lakeward']);
    expect(existsSync(join(PROJECT, services['lakeward']!.build, 'Dockerfile'))).toBe(true);
  });

  test('starts a command that runs with this environment, is healthy by the image’s check, and ends in its grace period', async () => {
    const { command, environment, stop_grace_period } = services['lakeward']!;
    // Of a container they are its own; of this machine others have them.
    const ports = Object.keys(environment).filter((name) => name.endsWith('_PORT'));
    expect(ports).toHaveLength(2);
    const free = await Promise.all(ports.map(async (name) => [name, String(await freePort())]));
    const env = { ...environment, ...Object.fromEntries(free), LAKEWARD_DIR: folder };
    const [health] = /"health".*?(?=\])/s.exec(/^HEALTHCHECK.*?^ENTRYPOINT/ms.exec(dockerfile)![0])!;
    const asked = JSON.parse(`[${health}]`) as string[];

    const service = start(command, { env });
    await endpointOf(service, folder);
    expect(await lakeward(asked, { env })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok/) });
    const stopped = performance.now();
    service.process.kill('SIGTERM');
    expect(await service.ended).toMatchObject({ code: 0 });
    expect((performance.now() - stopped) / 1000).toBeLessThan(Number.parseInt(stop_grace_period, 10));
  });
});

/** Free when it was asked for. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
