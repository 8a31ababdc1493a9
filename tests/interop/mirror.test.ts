/** The same rows written by ours and by pyiceberg: manifest lists and manifests compared field by field, as Avro. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineTransform } from '../../src/transforms/transforms.ts';
import { uuidOf } from '../support/events.ts';
import { type DumpedSnapshot, type Pyiceberg, startPyiceberg } from '../support/pyiceberg.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { succeeded, transformLake } from '../support/transform-lake.ts';
import { ALLOWED, allowance, differencesOf } from './manifest-differences.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
/** Tables of the product, with the columns that it writes no bounds for. */
const OURS = [
  ['raw.events', ['document']],
  ['staging.events', ['document']],
  ['quarantine.events', ['bytes']],
] as const;

/** A row for each event, of every type that a mart can have, with nulls. */
const MANY_TYPES = defineTransform({
  name: 'many_types',
  from: ['lesson:*'],
  mode: 'append',
  partition: 'day',
  sql: `select created_datetime::date as day, created_at::bigint % 2 = 0 as a_boolean, 1::integer as an_int,
    created_at::bigint as a_long, created_at / 3 as a_double, (created_at::bigint / 100)::decimal(18, 2) as a_decimal,
    -created_at::bigint::decimal(38, 3) as wide, created_datetime::timestamp as a_timestamp,
    created_datetime as a_timestamptz, repeat('ü🎈', (created_at::bigint % 12)::integer) as a_string,
    case when created_at::bigint % 2 = 0 then event_name end as a_null from events`,
});

const DAY_S = Date.UTC(2026, 0, 1) / 1000;

describeWith(python, 'a table that pyiceberg writes beside ours', () => {
  let folder: string;
  let written: WrittenLake;
  let pyiceberg: Pyiceberg;
  const seen = new Set<string>();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mirror-'));
    pyiceberg = startPyiceberg(python);
    written = await writeLake({ count: 300, seed: 8, commits: [150, 1, 100] });
  });
  afterAll(async () => {
    await pyiceberg?.stop();
    await written?.close();
    await rm(folder, { recursive: true, force: true });
  });

  function expectAlike(ours: readonly DumpedSnapshot[], theirs: readonly DumpedSnapshot[]): void {
    const found = differencesOf(ours, theirs);
    for (const each of found) seen.add(allowance(each)?.field ?? each.field);
    const unlisted = found.filter((each) => allowance(each) === undefined);
    expect(unlisted).toEqual([]);
  }

  test.each(OURS)('says of the rows of %s what ours says', async (name, unbounded) => {
    const { metadataLocation: metadata } = await written.table(name);
    const properties = {
      // It would name a folder by the whole of a partition's value, which may be longer than a disk takes.
      ...{ 'write.object-storage.enabled': 'true', 'write.object-storage.partitioned-paths': 'false' },
      ...Object.fromEntries(unbounded.map((column) => [`write.metadata.metrics.column.${column}`, 'counts'])),
    };
    const mirror = await pyiceberg.mirrorCommits({ folder: join(folder, name), metadata, properties });
    const ours = await pyiceberg.dump({ metadata });
    expect(ours.flatMap(({ manifests }) => manifests).length).toBeGreaterThan(0);
    expectAlike(ours, await pyiceberg.dump(mirror));
  });

  test('says of a mart of many types, in two commits, what ours says', async () => {
    const lake = await transformLake();
    const event = (n: number, day: number) =>
      JSON.stringify({ event_uuid: uuidOf(n), event_name: 'lesson:a', created_at: DAY_S + day * 86_400 + n });
    for (const days of [
      [0, 0, 1],
      [-9_000, 2],
    ]) {
      await lake.fill(days.map((day, n) => event(n + days.length * 10, day)));
      succeeded(await lake.run([MANY_TYPES]));
    }
    const { metadataLocation: metadata } = await lake.table('many_types');
    const mirror = await pyiceberg.mirrorCommits({ folder: join(folder, 'mart'), metadata, properties: {} });
    const ours = await pyiceberg.dump({ metadata });
    expect(ours.flatMap(({ manifests }) => manifests)).toHaveLength(2);
    expectAlike(ours, await pyiceberg.dump(mirror));
  });

  test('differs in everything that is listed as allowed: nothing is listed in vain', () => {
    expect(ALLOWED.filter(({ field }) => !seen.has(field))).toEqual([]);
  });
});
