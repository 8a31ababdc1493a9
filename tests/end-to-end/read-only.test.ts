/** Who may only read the bucket can ask everything, and who may only put events on the stream needs no bucket. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts';
import { type Ended, endpointOf, lakeward, start } from '../support/program.ts';

const EVENTS = 30;
let folder: string;
let s3: FakeS3;
let env: Record<string, string>;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-only-'));
  s3 = await startFakeS3();
  env = {
    ...{ LAKEWARD_STORE_URL: 's3://lake/events', LAKEWARD_STORE_ENDPOINT: s3.endpoint },
    ...{ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
  };
  file = join(folder, 'events.ndjson');
  const lines = Array.from({ length: EVENTS }, (_, i) =>
    JSON.stringify({ event_uuid: `e${i}`, event_name: 'lesson:started', created_at: 1_767_225_600 + i }),
  );
  await writeFile(file, lines.join('\n'));
  for (const args of [
    ['send', file],
    ['run', '--once'],
  ])
    expect(await by('owner', ...args)).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await s3?.close();
  await rm(folder, { recursive: true, force: true });
});

const by = (who: string, ...args: string[]): Promise<Ended> =>
  lakeward([...args, '--dir', join(folder, who)], { env });

async function denied<T>(methods: readonly string[], work: () => Promise<T>): Promise<T> {
  for (const method of methods) s3.denied.add(method);
  try {
    return await work();
  } finally {
    s3.denied.clear();
  }
}

describe('who may only read the bucket', () => {
  const readOnly = <T>(work: () => Promise<T>) => denied(['PUT', 'POST', 'DELETE'], work);

  const questions = [
    ['sql', 'select count(*) as events from staging.events'],
    ['tables'],
    ['tables', 'raw.events'],
    ['status'],
    ['find', 'e7'],
    ['verify'],
    ['verify', '--deep'],
    ['quarantine', 'list'],
    ['types', '--check'],
    ['maintain', '--dry-run'],
  ];
  it.each(questions.map((args) => [args.join(' '), args]))('is answered by %s', async (_, args) => {
    const before = s3.requests.length;
    const { code, stdout, stderr } = await readOnly(() => by('reader', ...args));
    // `types --check` finds no file written yet; whatever else it finds would be an error.
    expect(code, stderr).toBe(args[0] === 'types' ? 3 : 0);
    expect(stdout).not.toBe('');
    expect(s3.requests.slice(before).filter((each) => !/^(GET|HEAD) /.test(each))).toEqual([]);
  });

  it('is told by a command that writes what is missing, before it begins', async () => {
    const before = s3.requests.length;
    const { code, stderr } = await readOnly(() => by('reader', 'run', 'staging', '--once'));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/denied/i);
    const written = s3.requests.slice(before).filter((each) => each.startsWith('PUT '));
    expect(written.length).toBeGreaterThan(0);
    expect(written.filter((each) => !each.includes('/.catalog/probe-'))).toEqual([]);
  });
});

it('who may not even read the bucket can put events on a stream elsewhere', async () => {
  const server = start(['dev', '--stream-port', '0', '--dir', join(folder, 'stream')], {
    env: { LAKEWARD_STORE_URL: '' },
  });
  try {
    const elsewhere = ['--stream-endpoint', await endpointOf(server, join(folder, 'stream'))];
    const before = s3.requests.length;
    const sent = await denied(['GET', 'HEAD', 'PUT', 'POST', 'DELETE'], () =>
      by('producer', 'send', file, ...elsewhere),
    );
    expect(sent.code, sent.stderr).toBe(0);
    expect(s3.requests.slice(before)).toEqual([]);
  } finally {
    server.process.kill('SIGINT');
    await server.ended;
  }
});
