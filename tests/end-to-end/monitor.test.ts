import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteCatalog } from '../../src/lake/lake.ts';
import { endpointOf, lakeward, type Running, start } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'monitor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const json = async (args: readonly string[]) => JSON.parse((await lakeward(args)).stdout).data;

async function eventsFile(name: string, count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ event_uuid: `${name}${i}`, event_name: 'lesson:started', created_at: 1_767_225_600 }),
  );
  const file = join(folder, `${name}.ndjson`);
  // The last says that it is an aggregated record, and is none.
  const broken = Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), Buffer.from('no JSON')]);
  await writeFile(file, Buffer.concat([Buffer.from([...lines, lines[0], ''].join('\n')), broken]));
  return file;
}

/** Where the process says that it can be asked. */
async function addressOf(running: Running, dir: string): Promise<string> {
  await endpointOf(running, dir);
  const name = (await readdir(join(dir, 'work'))).find((each) => each.startsWith('monitor-'))!;
  return JSON.parse(await readFile(join(dir, 'work', name), 'utf8')).uri;
}

async function eventually<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (enough(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function stopped(running: Running): Promise<number | null> {
  running.process.kill('SIGINT');
  return (await running.ended).code;
}

describe('lakeward run', () => {
  it('serves health and metrics while it runs, and status and health find it', async () => {
    const dir = join(folder, 'run');
    const running = start(['run', '--dir', dir, '--commit-max-age', '100ms']);
    const uri = await addressOf(running, dir);
    const get = async (path: string) => (await fetch(`${uri}${path}`)).text();
    const ready = async () => JSON.parse(await get('/health/ready')).status;
    await eventually(ready, (status) => status === 'ok');

    await lakeward(['send', '--dir', dir, await eventsFile('run', 200)]);
    const staged = 'lakeward_events_written_total{table="staging.events"} 200';
    const metrics = await eventually(
      () => get('/metrics'),
      (text) => text.includes(staged),
    );
    for (const line of [
      'lakeward_events_received_total{table="raw.events"} 202',
      'lakeward_events_duplicates_total{table="raw.events"} 1',
      'lakeward_events_quarantined_total{table="raw.events"} 1',
      'lakeward_source_damaged_aggregates_total 1',
      'lakeward_source_lag_seconds 0',
      'lakeward_window_ids 200',
    ]) {
      expect(metrics).toContain(`${line}\n`);
    }
    const healthy = await lakeward(['health', '--dir', dir]);
    expect([healthy.code, healthy.stdout]).toEqual([0, `ok: process ${running.process.pid}: ok\n`]);
    expect((await lakeward(['health', '--live', '--dir', dir])).code).toBe(0);
    expect(await json(['status', '--json', '--dir', dir])).toMatchObject({
      status: 'ok',
      stream: { state: 'answers', lag_ms: 0 },
      lake: { ledger: { received: 202, written: 200, duplicate: 1, quarantined: 1 } },
      processes: [{ pid: running.process.pid, status: 'ok', live: true }],
    });

    expect(await stopped(running)).toBe(0);
    expect((await readdir(join(dir, 'work'))).filter((name) => name.startsWith('monitor-'))).toEqual([]);
    const after = await lakeward(['health', '--dir', dir]);
    expect([after.code, after.stdout]).toEqual([
      0,
      `ok: ${dir}: nothing has a health port here, and the lake is well\n`,
    ]);
  });

  it('without its stream goes on, says so in one line, and is unhealthy but live', async () => {
    const dir = join(folder, 'outage');
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    const port = await new Promise<number>((resolve) =>
      taken.once('listening', () => resolve((taken.address() as { port: number }).port)),
    );
    const endpoint = `http://127.0.0.1:${port}`;
    const running = start(['run', '--dir', dir, '--endpoint', endpoint]);
    const degraded = (text: string) => text.split('\n').filter((line) => line.includes('health.degraded'));
    await eventually(
      async () => running.stderr(),
      (text) => degraded(text).length > 0,
    );
    const health = await lakeward(['health', '--dir', dir]);
    const live = await lakeward(['health', '--live', '--dir', dir]);
    running.process.kill('SIGINT');
    running.process.kill('SIGKILL');
    const { stderr } = await running.ended;
    taken.close();

    expect(health.code).toBe(1);
    expect(health.stdout).toContain('[stream.unreachable]');
    expect(live.code).toBe(0);
    expect(JSON.parse(degraded(stderr)[0]!)).toMatchObject({ level: 'warn', code: 'stream.unreachable' });
    expect(stderr.split('\n').filter((line) => line.includes('"warn"')).length).toBe(1);
    // It was killed: what it left is an address at which nobody answers.
    const gone = await lakeward(['health', '--dir', dir]);
    expect([gone.code, gone.stdout.includes('monitor.no_answer')]).toEqual([1, true]);
  });

  it('takes the next free port when the default is taken, and fails when the one asked for is', async () => {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    const first = start(['run', '--dir', one]);
    const uri = await addressOf(first, one);
    const second = start(['run', '--dir', other]);
    expect(await addressOf(second, other)).not.toBe(uri);
    const third = await lakeward([
      'run',
      '--dir',
      join(folder, 'third'),
      '--monitor-port',
      uri.split(':')[2]!,
    ]);
    expect([third.code, third.stderr.includes('monitor.port_taken')]).toEqual([1, true]);
    expect(await Promise.all([stopped(first), stopped(second)])).toEqual([0, 0]);
  });
});

describe('lakeward status', () => {
  it('works beside dev, which has no port unless it is asked for', async () => {
    const dir = join(folder, 'dev');
    const running = start(['dev', '--dir', dir, '--stream-port', '0']);
    await endpointOf(running, dir);
    await lakeward(['send', '--dir', dir, await eventsFile('dev', 100)]);
    const staged = await eventually(
      () => json(['status', '--json', '--dir', dir]),
      ({ lake }) =>
        lake.tables.some(
          (t: { name: string; rows: number }) => t.name === 'staging.events' && t.rows === 100,
        ),
    );
    expect(staged).toMatchObject({ status: 'ok', stream: { state: 'answers' }, processes: [] });
    expect((await lakeward(['health', '--dir', dir])).code).toBe(0);
    expect(await stopped(running)).toBe(0);

    const page = await lakeward(['status', '--dir', dir]);
    expect(page.code).toBe(0);
    expect(page.stdout).toContain('✓ all is well');
    expect(page.stdout).toContain('102 received = 100 written + 1 duplicate + 1 quarantined');
    expect(page.stdout).toContain('[status.not_running]');
  });

  it.each([
    { args: [], line: /^\S+ · ok · stream not running · 0 rows wait for staging · nothing received yet/ },
    { args: ['--json'], line: /^\{"ok":true,"data":\{.*\}\}$/ },
  ])('watches with a line a refresh until Ctrl-C, which is no failure: $args', async ({ args, line }) => {
    const dir = join(folder, 'watched');
    await mkdir(dir, { recursive: true });
    await openSqliteCatalog({ path: join(dir, 'catalog.sqlite') }).close();
    const running = start(['status', '--watch', '--interval', '100ms', '--dir', dir, ...args]);
    let text = '';
    running.process.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    await eventually(
      async () => text,
      (so_far) => so_far.split('\n').length > 3,
    );
    expect(await stopped(running)).toBe(0);
    const { stdout } = await running.ended;
    for (const each of stdout.trim().split('\n')) expect(each).toMatch(line);
  });
});
