/** Tables whose catalog is lost: nothing is begun over their files, and the way back stays open. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { append, createSmall, smallFile, smallLake } from '../../tests/support/small-lake.ts';
import { lakeFolder } from '../../tests/support/worker.ts';
import { resolveSettings } from '../config/config.ts';
import { openSqliteCatalog } from '../lake/lake.ts';
import { type Access, ensureLake } from './lake-parts.ts';
import { ran } from './test-command.ts';

const TRANSFORMS = join(import.meta.dirname, '../../examples/daily-active/transforms');

const WRITING = [
  ['dev'],
  ['run'],
  ['run', '--once'],
  ['run', 'staging', '--once'],
  ['send', 'events.ndjson'],
  ['maintain'],
  ['transform', 'run', '--transforms-dir', TRANSFORMS],
  ['transform', 'backfill', 'daily_active', '--transforms-dir', TRANSFORMS],
];

async function lakeWithoutCatalog(): Promise<string> {
  const folder = await lakeFolder();
  const line = '{"event_uuid":"a","event_name":"lesson:started","created_at":1767225600}\n';
  await writeFile(join(folder, 'events.ndjson'), line);
  expect(await ran(folder, 'send', 'events.ndjson')).toMatchObject({ exit: 0 });
  expect(await ran(folder, 'run', '--once')).toMatchObject({ exit: 0 });
  for (const suffix of ['', '-wal', '-shm'])
    await rm(join(folder, `catalog.sqlite${suffix}`), { force: true });
  return folder;
}

const everything = async (folder: string) => (await readdir(folder, { recursive: true })).sort();

it('every command that writes says so, and leaves all as it was', async () => {
  const folder = await lakeWithoutCatalog();
  const before = await everything(folder);
  for (const args of [...WRITING, ...WRITING]) {
    const { exit, stdout, stderr } = await ran(folder, ...args);
    expect({ args, exit, stdout }).toEqual({ args, exit: 1, stdout: '' });
    // A service says before where its health is told.
    expect(stderr.replaceAll(/^\{.*\n/gm, '')).toMatch(
      /^lakeward: the catalog of the lake in .+ is missing \[lake\.no_catalog\]\n +why .+\n +fix .+\n +read +docs\/how-to\/recover\.md#\S+\n$/,
    );
    expect(await everything(folder)).toEqual(before);
  }
}, 60_000);

it('nor is anything begun or told of them with a new catalog that names none', async () => {
  const folder = await lakeWithoutCatalog();
  await openSqliteCatalog({ path: join(folder, 'catalog.sqlite') }).close();
  const inLake = await everything(join(folder, 'lake'));
  for (let attempt = 0; attempt < 3; attempt++) {
    const { exit, stderr } = await ran(folder, ...(attempt === 2 ? ['tables'] : ['run', '--once']));
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('[lake.no_catalog]') });
    expect(stderr).toContain('docs/how-to/recover.md');
    expect(await everything(join(folder, 'lake'))).toEqual(inLake);
  }
}, 60_000);

it('in a store elsewhere they are looked for too; a first start goes on', async () => {
  const { settings } = resolveSettings({
    command: 'run',
    env: { LAKEWARD_STORE_URL: 's3://bucket/lake', LAKEWARD_CATALOG_KIND: 'sqlite' },
    cwd: '/nowhere',
  });
  const { lake, store } = smallLake();
  const sqlite = '/nowhere/.lakeward/catalog.sqlite';
  const ensured = (access: Access) => ensureLake(settings, { sqlite, store, access });
  for (const access of ['sends', 'writes', 'serves'] as const) await ensured(access);
  await expect(ensured('reads')).rejects.toMatchObject({ code: 'lake.no_lake' });
  const table = await createSmall(lake, 'staging.events');
  // A first start that was killed may have left this much.
  await ensured('writes');
  await append(lake, table, { commitId: 'c', files: [smallFile(lake, table)] });
  for (const access of ['reads', 'sends', 'writes'] as const)
    await expect(ensured(access)).rejects.toMatchObject({ code: 'lake.no_catalog' });
  // Where tables are registered again.
  await ensured('serves');
});
