/** The same rows written by ours and by pyiceberg: manifest lists and manifests compared field by field, as Avro. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DumpedSnapshot, type Pyiceberg, startPyiceberg } from '../support/pyiceberg.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { ALLOWED, allowance, differencesOf } from './manifest-differences.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
/** Tables of the product, with the columns that it writes no bounds for. */
const OURS = [
  ['raw.events', ['document']],
  ['staging.events', ['document']],
  ['quarantine.events', ['bytes']],
] as const;

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

  test('differs in everything that is listed as allowed: nothing is listed in vain', () => {
    expect(ALLOWED.filter(({ field }) => !seen.has(field))).toEqual([]);
  });
});
