/** What the smoke test runs is what the image ships, and nothing else. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { cacheFolder, PROJECT } from '../../infra/deploy/cache.ts';
import { type ImageProgram, imageProgram } from '../../infra/deploy/image-program.ts';
import { type Part, smokeTest } from '../../infra/deploy/smoke.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeward-image-program-'));
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the program of the image', () => {
  let program: ImageProgram;
  beforeAll(async () => {
    program = await imageProgram();
  });

  test('is compiled, with its own Node and the production packages, and lies outside of the checkout', async () => {
    expect(program.folder.startsWith(PROJECT)).toBe(false);
    const { version, devDependencies } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect(await program.run(['--version'], { env: {}, work: folder })).toBe(`${version}\n`);
    const files = (await readdir(program.folder, { recursive: true })) as string[];
    expect(files).toEqual(expect.arrayContaining(['usr/local/bin/node', 'app/dist/cli/main.js']));
    expect(files.filter((file) => /^app\/(src|tests|infra)\/|^app\/dist\/.*\.test\.js$/.test(file))).toEqual(
      [],
    );
    const packages = await readdir(join(program.folder, 'app/node_modules'));
    expect(Object.keys(devDependencies).filter((name) => packages.includes(name))).toEqual([]);
  });

  test('is told nothing by the environment of this machine, and writes into its work folder', async () => {
    const work = await mkdtemp(join(folder, 'work-'));
    const misled = { LAKEWARD_DIR: join(folder, 'elsewhere'), LAKEWARD_LOG_LEVEL: 'no level' };
    for (const [name, value] of Object.entries(misled)) vi.stubEnv(name, value);
    await program.run(['run', 'quarantine', '--once'], { env: {}, work });
    expect(await readdir(work)).toContain('catalog.sqlite');
    const refused = program.run(['tables'], { env: misled, work });
    await expect(refused).rejects.toThrow('LAKEWARD_LOG_LEVEL');
  });

  test('is there at once the second time', async () => {
    const main = join(program.folder, 'app/dist/cli/main.js');
    const { ino } = await stat(main);
    expect((await imageProgram()).folder).toBe(program.folder);
    expect((await stat(main)).ino).toBe(ino);
  });
});

test('files that cannot be laid out are explained, and leave nothing behind', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('XDG_CACHE_HOME', folder);
  await expect(imageProgram()).rejects.toMatchObject({
    what: 'the files of the image could not be laid out',
    why: expect.stringContaining('no npm'),
    fix: expect.stringContaining('npm'),
  });
  expect(await readdir(cacheFolder('image'))).toEqual([]);
});

test('the smoke test runs every command by the program that it is given, each part as who it is', async () => {
  const ran: string[] = [];
  const program: ImageProgram = {
    folder: '/the/image',
    async run([command, ...args], { env }) {
      const roles = args.filter((arg) => /^[a-z]+$/.test(arg) && command === 'run');
      ran.push([env['WHO'], command, ...roles].join(' '));
      expect(env).toMatchObject({
        LAKEWARD_STORE_URL: 's3://lake',
        LAKEWARD_STORE_ENDPOINT: 'http://nobody',
      });
      return JSON.stringify([{ rows: 1000, ids: 1000 }]);
    },
  };
  const parts: Part[] = ['producer', 'processor', 'staging', 'transforms', 'reader'];
  const said = await smokeTest({
    endpoint: 'http://nobody',
    outputs: { options: { 'store.url': 's3://lake' } },
    identities: Object.fromEntries(parts.map((part) => [part, { WHO: part }])) as Record<
      Part,
      { WHO: string }
    >,
    program,
  });
  expect(said).toContain('run from /the/image');
  expect(ran).toEqual([
    ...['producer send', 'producer send', 'producer send', 'processor run processor quarantine'],
    ...['staging run staging maintenance', 'processor verify', 'reader sql'],
  ]);
});
