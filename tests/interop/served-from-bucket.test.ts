/** A lake on S3 (moto) whose catalog lies in the bucket, served: pyiceberg gets there with nothing but the address. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uuidOf } from '../support/events.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { lakeward, type Running, said, start } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';

const [moto, iceberg] = [await pythonWith('moto'), await pythonWith('iceberg')];
const SCRIPT = join(import.meta.dirname, 'use_rest_catalog.py');
const WHERE = ['event_type', 'lesson'] as const;

describeWith({ missing: moto.missing ?? iceberg.missing }, 'a served bucket', () => {
  let s3: Moto;
  let folder: string;
  let env: Record<string, string>;
  const servers: Running[] = [];
  beforeAll(async () => {
    s3 = await startMoto(moto);
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
    const { code, stdout, stderr } = await lakeward([...args, '--dir', join(folder, 'own')], { env });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  /** Through the stream into raw and staging. */
  async function take(...numbers: number[]): Promise<void> {
    const file = join(folder, 'events.ndjson');
    await writeFile(file, numbers.map((n) => `${event(n)}\n`).join(''));
    await run('send', file);
    await run('run', '--once');
  }
  const use = (uri: string, steps: readonly string[], more: object = {}) =>
    iceberg.run<Record<string, unknown>>(SCRIPT, { uri, token: 'any', steps, ...more });

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

  test('lets pyiceberg make, change and expire a table, read and append to ours, and ours goes on', async () => {
    const uri = await serve('--serve-credentials', 'server');
    const made = await use(uri, ['create', 'stale', 'evolve', 'expire']);
    expect(made['create']).toMatchObject({ ids: [1, 2], tables: [['marts', 'by_python']], owner: 'me' });
    expect(made['stale']).toEqual({ refused: true, ids: [1, 2, 3, 4] });
    expect(made['evolve']).toMatchObject({ ids: [3, 4, 9] });
    expect(made['expire']).toMatchObject({ snapshots: 2, ids: [3, 4, 9] });

    const ours = await use(uri, ['ours'], { table: 'raw.events', where: WHERE, uuid: uuidOf(9) });
    expect(ours['ours']).toMatchObject({ rows: 2 });
    await take(3);
    const counted = await run('sql', '--format', 'csv', 'select count(*) from staging.events');
    expect(counted.trim().split('\n').at(-1)).toBe('4');
  });
});

const event = (n: number): string =>
  JSON.stringify({ event_uuid: uuidOf(n), event_name: 'lesson:started', created_at: 1_767_225_600 + n });
