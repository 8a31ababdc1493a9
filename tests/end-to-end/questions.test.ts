import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lakeward } from '../support/program.ts';

let dir: string;
const UUID = '0b6a3f5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'questions-'));
  const file = join(dir, 'events.ndjson');
  const event = (uuid: string, name: string, n: number) =>
    JSON.stringify({ event_uuid: uuid, event_name: name, created_at: 1_767_225_600 + n, note: 'a,"b"\n' });
  await writeFile(
    file,
    [
      event(UUID, 'lesson:started', 1),
      event('two', 'payment:order:completed', 2),
      event(UUID.toUpperCase(), 'lesson:started', 1),
      '{"event_uuid":"broken","event_na',
    ].join('\n'),
  );
  await lakeward(['send', '--dir', dir, file]);
  await lakeward(['run', '--once', '--dir', dir]);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const sql = async (...args: string[]) => (await lakeward(['sql', '--dir', dir, ...args])).stdout;

describe('lakeward sql', () => {
  const question = 'select event_type, count(*) as n from staging.events group by 1 order by 1';

  it('writes one array of objects, one object a line, CSV, or a table', async () => {
    const rows = [
      { event_type: 'lesson', n: 1 },
      { event_type: 'payment', n: 1 },
    ];
    expect(JSON.parse(await sql('--format', 'json', question))).toEqual(rows);
    const lines = (await sql('--format', 'ndjson', question)).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
    expect(await sql('--format', 'csv', question)).toBe('event_type,n\nlesson,1\npayment,1\n');
    expect(await sql(question)).toBe('event_type  n\nlesson      1\npayment     1\n');
  });

  it('quotes CSV by RFC 4180 and gives an empty array for no rows', async () => {
    expect(await sql('--format', 'csv', `select 'a,"b"' as x`)).toBe('x\n"a,""b"""\n');
    expect(await sql('--format', 'json', 'select * from raw.events where false')).toBe('[]\n');
  });

  it('reaches into the document', async () => {
    const answer = await sql(
      '--format',
      'json',
      `select document->>'$.note' as note from staging.events limit 1`,
    );
    expect(JSON.parse(answer)).toEqual([{ note: 'a,"b"\n' }]);
  });

  it('says that the file of a question is not there, as no bug of ours', async () => {
    const { code, stderr } = await lakeward(['sql', '--dir', dir, '--file', join(dir, 'nope.sql')]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('sql.no_file') });
  });

  it('draws a plan as the engine does', async () => {
    const plan = await sql('explain select 1');
    expect(plan).toMatch(/^┌─+┐\n│ +PROJECTION +│\n/);
  });

  it('tells who asks for tables without a schema where they are', async () => {
    const { stdout, stderr } = await lakeward(['sql', '--dir', dir, 'SHOW TABLES;']);
    expect(stdout).toBe('name\n');
    expect(stderr).toContain('show all tables');
  });

  it('says that there is more only where there is', async () => {
    const stderrOf = async (rows: number) =>
      (await lakeward(['sql', '--dir', dir, `select i from range(${rows}) r(i)`])).stderr;
    expect(await stderrOf(10_000)).toBe('');
    expect(await stderrOf(10_001)).toContain('the first 10,000 rows');
  });

  it('says what is wrong with a question, and exits 1', async () => {
    const { code, stdout, stderr } = await lakeward(['sql', '--dir', dir, 'select nothing from nowhere']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('nowhere');
  });
});

describe('lakeward find', () => {
  it('follows an event from the stream to staging', async () => {
    const { code, stdout } = await lakeward(['find', '--json', '--dir', dir, UUID]);
    const { raw, staging, quarantine } = JSON.parse(stdout).data;
    expect(code).toBe(0);
    expect([raw.length, staging.length, quarantine.length]).toEqual([1, 1, 0]);
    expect(raw[0]).toMatchObject({ event_uuid: UUID, shard_id: 'shardId-000000000000' });
    expect(raw[0].sequence_number).toMatch(/^\d{56}$/);
    expect(raw[0].file).toContain('/raw/events/data/');
    expect(raw[0].snapshot).toMatch(/^\d+$/);
  });

  it('finds a record in quarantine by the uuid in its bytes, with the reason', async () => {
    const { stdout } = await lakeward(['find', '--json', '--dir', dir, 'broken']);
    expect(JSON.parse(stdout).data.quarantine).toMatchObject([{ reason: 'not_json' }]);
  });

  it('exits 1 for what is nowhere', async () => {
    expect((await lakeward(['find', '--dir', dir, 'absent'])).code).toBe(1);
  });
});

describe('lakeward tables', () => {
  it('shows what each snapshot brought', async () => {
    const { stdout } = await lakeward(['tables', '--json', '--dir', dir, 'raw.events']);
    const { rows, columns, partition, history } = JSON.parse(stdout).data;
    expect(rows).toBe(2);
    expect(columns.length).toBe(12);
    expect(partition.map((p: { transform: string }) => p.transform)).toEqual(['day', 'identity']);
    expect(history[0].ledger).toMatchObject({ received: 4, written: 2, duplicate: 1, quarantined: 1 });
  });

  it('names the tables there are when asked for another', async () => {
    const { code, stderr } = await lakeward(['tables', '--dir', dir, 'raw.event']);
    expect(code).toBe(1);
    expect(stderr).toContain('raw.events');
  });
});

describe('lakeward verify', () => {
  it('exits 0 on a whole lake, and not when a file of staging is gone', async () => {
    expect((await lakeward(['verify', '--deep', '--dir', dir])).code).toBe(0);
    const data = join(dir, 'lake/staging/events/data');
    const file = (await readdir(data, { recursive: true })).find((name) => name.endsWith('.parquet'))!;
    await rm(join(data, file));
    const { code, stdout, stderr } = await lakeward(['verify', '--dir', dir]);
    expect(code).toBe(3);
    expect(stdout + stderr).toContain(file.split('/').at(-1));
  });
});
