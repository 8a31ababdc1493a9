import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf, lakeward, said, start } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dev-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const events = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      event_uuid: `u${from + i}`,
      event_name: 'lesson:started',
      created_at: 1_767_225_600 + i,
    }),
  ).join('\n');

const count = async (dir: string) => {
  const answer = await lakeward([
    'sql',
    '--dir',
    dir,
    '--format',
    'csv',
    'select count(*) from staging.events',
  ]);
  return Number(answer.stdout.split('\n')[1]);
};

describe('lakeward dev', () => {
  it('takes events that another process sends, and has them all in staging after one Ctrl-C', async () => {
    const dir = join(folder, 'drain');
    const running = start(['dev', '--dir', dir, '--stream-port', '0']);
    await endpointOf(running, dir);
    const file = join(folder, 'events.ndjson');
    await writeFile(file, `${events(0, 5_000)}\nplain text\n${events(0, 100)}\n`);

    const sent = await lakeward(['send', '--json', '--dir', dir, file]);
    expect(JSON.parse(sent.stdout)).toMatchObject({ ok: true, data: { records: 5_101 } });
    running.process.kill('SIGINT');
    const ended = await running.ended;

    expect(ended.code).toBe(0);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toContain('kinesis put-record');
    expect(await count(dir)).toBe(5_000);
    const quarantine = await lakeward(['quarantine', 'list', '--json', '--dir', dir]);
    expect(JSON.parse(quarantine.stdout).data.reasons).toMatchObject([{ reason: 'not_json', records: 1 }]);
    expect((await lakeward(['verify', '--dir', dir])).code).toBe(0);
  });

  it('names a port that is taken and uses the next free one', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    const port = await new Promise<number>((resolve) =>
      taken.once('listening', () => resolve((taken.address() as { port: number }).port)),
    );
    const dir = join(folder, 'port');
    const running = start(['dev', '--dir', dir, '--stream-port', String(port)]);
    const endpoint = await endpointOf(running, dir);
    running.process.kill('SIGTERM');
    const ended = await running.ended;
    taken.close();

    expect(endpoint).not.toContain(`:${port}`);
    expect(ended.stderr).toContain(`port ${port} is taken`);
    expect(ended.code).toBe(0);
  });

  it('is not what run does: a port that run was asked for and is taken is an error', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    const port = await new Promise<number>((resolve) =>
      taken.once('listening', () => resolve((taken.address() as { port: number }).port)),
    );
    const ended = await lakeward(['run', '--dir', join(folder, 'asked'), '--stream-port', String(port)]);
    taken.close();
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('stream_server.port_taken') });
  });

  it('serves its tables to other programs, beside another that does, for as long as it runs', async () => {
    const tables = (uri: string, namespace: string) => fetch(`${uri}/v1/namespaces/${namespace}/tables`);
    const one = start(['dev', '--dir', join(folder, 'served'), '--stream-port', '0', '--serve-port', '0']);
    const [, first] = await said(one, /tables +(http:\S+)/);
    const port = new URL(first!).port;
    const other = start(['dev', '--dir', join(folder, 'beside'), '--stream-port', '0', '--serve-port', port]);
    const [, second] = await said(other, /tables +(http:\S+)/);
    const { catalog } = JSON.parse(await readFile(join(folder, 'beside', 'endpoint.json'), 'utf8'));
    const file = join(folder, 'served.ndjson');
    await writeFile(file, events(0, 10));
    await lakeward(['send', '--dir', join(folder, 'beside'), file]);
    const answer = await tables(second!, 'raw');

    expect(catalog).toBe(second);
    expect(second).not.toBe(first);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ identifiers: [{ namespace: ['raw'], name: 'events' }] });
    for (const running of [one, other]) running.process.kill('SIGINT');
    const ended = await one.ended;
    expect(ended.code).toBe(0);
    // Who asks for any free port is not told that one was taken.
    expect(ended.stderr).not.toContain('is taken');
    expect((await other.ended).stderr).toContain(`port ${port} is taken; the catalog is on`);
    await expect(tables(second!, 'raw')).rejects.toThrow();
  });

  it('serves no tables when it is told not to', async () => {
    const dir = join(folder, 'alone');
    const running = start(['dev', '--dir', dir, '--stream-port', '0', '--serve-catalog', 'off']);
    await said(running, / ask /);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect({ code, served: /tables +http/.test(stderr) }).toEqual({ code: 0, served: false });
  });

  it('tells a second owner of the folder who owns it, in four lines', async () => {
    const dir = join(folder, 'owned');
    const running = start(['dev', '--dir', dir, '--stream-port', '0']);
    await endpointOf(running, dir);
    const second = await lakeward(['dev', '--dir', dir, '--stream-port', '0']);
    running.process.kill('SIGINT');

    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`process ${running.process.pid}`);
    expect(second.stderr.trim().split('\n').length).toBe(4);
    expect((await running.ended).code).toBe(0);
  });

  it('goes on from where it was: a second run adds only what is new', async () => {
    const dir = join(folder, 'again');
    for (const [from, expected] of [
      [0, 300],
      [200, 500],
    ] as const) {
      const file = join(folder, `again-${from}.ndjson`);
      await writeFile(file, events(from, 300));
      await lakeward(['send', '--dir', dir, file]);
      expect((await lakeward(['run', '--once', '--dir', dir])).code).toBe(0);
      expect(await count(dir)).toBe(expected);
    }
  });
});
