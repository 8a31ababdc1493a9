/** The tour with the lake in a bucket, and with the catalog behind the REST protocol. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { githubEvents } from '../support/corpora/github.ts';
import { exampleProject } from '../support/example-project.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { type Ended, lakeward, said, start } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';

const python = await pythonWith('moto');
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'elsewhere-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function expectExact({ code, stdout, stderr }: Ended): void {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const { answers, verified, truth } = JSON.parse(stdout).data;
  expect(verified.findings).toEqual([]);
  expect(answers.every(({ right }: { right: boolean }) => right)).toBe(true);
  expect(verified.staged ?? truth.events).toBe(truth.events);
}

describeWith(python, 'with the lake on S3 (moto) and the catalog in the bucket', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto(python);
    await moto.makeBucket('lake');
  });
  afterAll(() => moto?.close());

  it('the demo is exact, twice side by side in one bucket, and leaves no table and no copy on this disk', async () => {
    const env = moto.lakeAt('s3://lake/tour');
    for (const round of ['one', 'two']) {
      const own = join(dir, `s3-${round}`);
      expectExact(await lakeward(['demo', '--events', '20000', '--json', '--dir', own], { env }));
      expect((await readdir(join(own, 'demo'))).sort()).toEqual(['identities', 'stream', 'work']);
      expect(await readdir(join(own, 'demo', 'work'))).toEqual([]);
    }
  });

  it('marts of both modes are what they are on a disk', async () => {
    const documents = githubEvents().map(({ document }) => document);
    const [disk, bucket] = await Promise.all(
      [{}, moto.lakeAt('s3://lake/marts')].map(async (env, i) => {
        const own = await mkdtemp(join(dir, `marts-${i}-`));
        const { send, run, rows } = exampleProject('pull-requests', own, env);
        for (const half of [documents.slice(0, 150), documents.slice(150)]) {
          await send(half);
          expect((await run('run', '--once')).code).toBe(0);
        }
        return [
          await rows('select * from marts.pull_request_steps order by all'),
          await rows('select * from marts.pull_request_days order by all'),
        ];
      }),
    );
    expect(bucket).toEqual(disk);
    expect(disk!.every((rows) => rows.length > 0)).toBe(true);
  });

  it('a question says what it fetched, and fetches only what it needs', async () => {
    const own = join(dir, 's3-asked');
    const env = moto.lakeAt('s3://lake/asked');
    const made = await lakeward(['demo', '--events', '20000', '--json', '--dir', own], { env });
    const [store] = /s3:\/\/lake\/asked\/[\w-]+/.exec(made.stderr) ?? [];
    const asked = await lakeward(
      [
        ...['sql', '--dir', join(own, 'demo'), '--store', store!, '--stats'],
        'select event_type, count(*) from staging.events group by all',
      ],
      { env },
    );
    const [, fetched, listed] = /, ([\d.]+ [kM]?B) of ([\d.]+ [kM]?B) fetched/.exec(asked.stderr) ?? [];
    expect(bytes(fetched)).toBeGreaterThan(0);
    expect(bytes(fetched)).toBeLessThan(bytes(listed));
  });

  it.each(['sqlite', 'bucket'])(
    'with the catalog (%s) behind another process, by the REST protocol, the demo is exact',
    async (kind) => {
      const env = moto.lakeAt(`s3://lake/served-${kind}`);
      const its = ['--dir', join(dir, `catalog-${kind}`), '--catalog-kind', kind];
      const server = start(['serve', 'catalog', '--serve-port', '0', ...its], { env });
      const [, uri] = await said(server, /at (http:\S+?)[;,]/);
      const ours = ['--dir', join(dir, `client-${kind}`), '--catalog-uri', uri!];
      expectExact(await lakeward(['demo', '--events', '5000', '--json', ...ours], { env }));
      server.process.kill('SIGINT');
      await server.ended;
    },
  );
});

const bytes = (text = '0 B') => {
  const [value, unit] = text.split(' ');
  return Number(value) * { B: 1, kB: 1e3, MB: 1e6 }[unit as 'B' | 'kB' | 'MB'];
};
