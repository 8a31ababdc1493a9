/** What is not the engine's own fault: a store or a catalog that is away, a disk that is full. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Failure } from '../../base/base.ts';
import { QUARANTINE } from '../../tables/tables.ts';
import { openEngine } from '../engine.ts';
import type { HeldFiles, LocalFiles } from '../local-files.ts';

const AWAY = new Failure('GET failed', {
  code: 'object_store.unreachable',
  fault: 'service',
  retry: 'backoff',
});
const FILE = { location: 's3://lake/raw.parquet', fileSize: 1 };
const RAW_FILE = { ...FILE, sequenceNumber: 1, rows: 1 };
const LIMITS = { minTime_s: 0, maxAhead_s: 0 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outages-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const engineOver = (files: LocalFiles) =>
  openEngine({ files, workFolder: join(folder, 'work'), memory_bytes: 128e6, threads: 1 });

it.each([
  [
    'comparing tables',
    (engine: Awaited<ReturnType<typeof engineOver>>) => engine.compareIdentities([FILE], []),
  ],
  ['reading raw', (engine: Awaited<ReturnType<typeof engineOver>>) => engine.readRaw([RAW_FILE])],
  ['reading rejects', (engine: Awaited<ReturnType<typeof engineOver>>) => engine.readRejected([FILE], [])],
])('a store that is away is told as that, and is tried again: %s', async (_, work) => {
  const engine = await engineOver({ hold: () => Promise.reject(AWAY) });
  await expect(work(engine)).rejects.toBe(AWAY);
  await engine.close();
});

it('files are let go of where a batch cannot begin because there is no room for its folder', async () => {
  let holding = 0;
  const files: LocalFiles = {
    async hold(): Promise<HeldFiles> {
      holding++;
      return { paths: ['/lake/raw.parquet'], release: () => void holding-- };
    },
  };
  const engine = await engineOver(files);
  await rm(join(folder, 'work'), { recursive: true, force: true });
  await writeFile(join(folder, 'work'), '');
  await expect(engine.readRaw([RAW_FILE])).rejects.toBeInstanceOf(Failure);
  expect(holding).toBe(0);
  await expect(
    engine.judge({ path: '/lake/spool.parquet', shards: [], stream: 'events' }, LIMITS),
  ).rejects.toBeInstanceOf(Failure);
  await engine.close();
});

it('rows are counted of the files that can be read, also where a copy of one cannot be had', async () => {
  const path = join(folder, 'good.parquet');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  await (await instance.connect()).run(
    `copy (from range(3)) to '${path}' (format parquet, field_ids {range: 1})`,
  );
  instance.closeSync();
  const bad = { ...FILE, location: 's3://lake/bad.parquet' };
  const unreadable = new Failure('cannot read it', { code: 'engine.unreadable', fault: 'user' });
  const engine = await engineOver({
    async hold(files) {
      if (files.some(({ location }) => location === bad.location)) throw unreadable;
      return { paths: files.map(() => path), release() {} };
    },
  });
  expect(await engine.rowCounts([FILE, bad])).toEqual([3, undefined]);
  await engine.close();
});

it('rejects that cannot be written are a failure with a reason, as events are', async () => {
  const path = join(folder, 'rejects.parquet');
  const ids = QUARANTINE.schema.fields.map(({ id, name }) => `${name}: ${id}`).join(', ');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  await (await instance.connect()).run(`copy (select 'x'::blob as bytes, 'not_json' as reason,
      null::varchar as detail, timestamptz '2026-01-01 00:00:00+00' as arrived_at, 'events' as stream, 's' as shard_id,
      '1' as sequence_number, null::integer as subsequence_number) to '${path}' (format parquet, field_ids {${ids}})`);
  instance.closeSync();
  const engine = await engineOver({
    hold: async (files) => ({ paths: files.map(() => path), release() {} }),
  });
  const batch = await engine.readRejected([FILE], []);
  for (const name of await readdir(join(folder, 'work'))) {
    await rm(join(folder, 'work', name), { recursive: true });
    await writeFile(join(folder, 'work', name), '');
  }
  await expect(batch.writeFresh()).rejects.toMatchObject({ code: expect.stringMatching(/^engine\./) });
  await engine.close();
});
