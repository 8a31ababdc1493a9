/** A lake on S3 (moto) whose catalog lies in the bucket, served by the program. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uuidOf } from '../support/events.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { lakeward, type Running, said, start } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';

const python = await pythonWith('moto');

describeWith(python, 'a served bucket', () => {
  let s3: Moto;
  let folder: string;
  let env: Record<string, string>;
  const servers: Running[] = [];
  beforeAll(async () => {
    s3 = await startMoto(python);
    await s3.makeBucket('lake');
    folder = await mkdtemp(join(tmpdir(), 'served-'));
    env = s3.lakeAt('s3://lake/served');
  });
  afterAll(async () => {
    for (const { process, ended } of servers) {
      process.kill('SIGINT');
      await ended;
    }
    await s3?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(...options: string[]): Promise<string> {
    const server = start(['serve', 'catalog', '--serve-port', '0', '--dir', folder, ...options], { env });
    servers.push(server);
    return (await said(server, /at (http:\S+?)[;,]/))[1]!;
  }
  const run = async (...args: readonly string[]) => {
    const { code, stderr } = await lakeward([...args, '--dir', join(folder, 'own')], { env });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  };
  /** Through the stream into raw and staging. */
  async function take(...numbers: number[]): Promise<void> {
    const file = join(folder, 'events.ndjson');
    await writeFile(file, numbers.map((n) => `${event(n)}\n`).join(''));
    await run('send', file);
    await run('run', '--once');
  }

  test('tells every program where the files are, and with what credentials only when it is told to', async () => {
    await take(1, 2);
    const address = {
      's3.endpoint': s3.endpoint,
      'client.region': 'us-east-1',
      's3.region': 'us-east-1',
      's3.path-style-access': 'true',
    };
    const secrets = { 's3.access-key-id': 'any', 's3.secret-access-key': 'any' };
    const configOf = async (uri: string) =>
      ((await (await fetch(`${uri}/v1/namespaces/raw/tables/events`)).json()) as { config: unknown }).config;
    expect(await configOf(await serve())).toEqual(address);
    expect(await configOf(await serve('--serve-credentials', 'server'))).toEqual({ ...address, ...secrets });
  });
});

const event = (n: number): string =>
  JSON.stringify({ event_uuid: uuidOf(n), event_name: 'lesson:started', created_at: 1_767_225_600 + n });
