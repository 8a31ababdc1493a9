/** A machine that sleeps for days, and another program that takes meanwhile what no snapshot names. */
import { expect, test } from 'vitest';
import {
  createSmall,
  locationsOf,
  movedClock,
  nothingStaged,
  smallFile,
  smallLake,
} from '../../../tests/support/small-lake.ts';
import { type ObjectStore, openMemoryStore } from '../../object-store/object-store.ts';
import type { Change, Lake, Table } from '../lake.ts';

const HOUR_MS = 3_600_000;

/** Sleeps once, right after the file with this in its name was written, and wakes when what was not committed is gone. */
async function start({ after, hours }: { after: string; hours: number }) {
  const clock = movedClock(Date.UTC(2026, 0, 1));
  const inner = openMemoryStore({ clock });
  const catalog = smallLake({ store: inner, clock }).catalog;
  const awake = smallLake({ store: inner, clock, catalog });
  const table = await createSmall(awake.lake);
  let sleepy = true;
  const store: ObjectStore = {
    ...inner,
    async writeIfAbsent(location, bytes) {
      const written = await inner.writeIfAbsent(location, bytes);
      if (!sleepy || !location.includes(after)) return written;
      sleepy = false;
      clock.now_ms += hours * HOUR_MS;
      for await (const orphans of awake.lake.orphans(table.name, {
        grace_ms: 72 * HOUR_MS,
        keepManifests: [],
      }))
        await inner.delete(orphans.map((orphan) => orphan.location));
      return written;
    },
  };
  return { lake: smallLake({ store, clock, catalog }).lake, store: inner, clock, table };
}

async function append(lake: Lake, table: Table, preparedAt_ms: number): Promise<Change> {
  const file = smallFile(lake, table);
  await lake.store.write(file.location, Buffer.from('rows'));
  const manifests = await lake.prepare(table, [file]);
  return { commitId: 'asleep', operation: 'append', manifests, preparedAt_ms, stage: nothingStaged };
}

test.each(['/snap-', '.metadata.json'])(
  'what it wrote for a commit before it slept is written anew: %s',
  async (after) => {
    const { lake, store, table } = await start({ after, hours: 96 });
    const commit = { commitId: 'asleep', operation: 'replace', manifests: [], stage: nothingStaged } as const;
    const outcome = await lake.commit(table, commit);
    expect(outcome.kind).toBe('committed');
    const { metadataLocation, metadata } = (await lake.load(table.name))!;
    const named = [metadataLocation, ...metadata.snapshots.map((snapshot) => snapshot['manifest-list'])];
    expect(await locationsOf(store)).toEqual(expect.arrayContaining(named));
  },
);

test.each(['/snap-', '.metadata.json'])(
  'files that were prepared before it slept are not committed: %s',
  async (after) => {
    const { lake, clock, table } = await start({ after, hours: 96 });
    const change = await append(lake, table, clock.now());
    expect(await lake.commit(table, change)).toMatchObject({ kind: 'refused' });
    expect((await lake.files((await lake.load(table.name))!)).files).toEqual([]);
  },
);

test('a metadata file that it wrote before it slept does not become the table', async () => {
  const { lake, store, table } = await start({ after: '.metadata.json', hours: 96 });
  expect((await lake.withOverflow(table))!.specId).toBe(1);
  const { metadataLocation, metadata } = (await lake.load(table.name))!;
  expect(metadata['partition-specs']).toHaveLength(2);
  expect(await locationsOf(store)).toContain(metadataLocation);
});

test('one that slept for a night commits what it prepared', async () => {
  const { lake, clock, table } = await start({ after: '.metadata.json', hours: 12 });
  const change = await append(lake, table, clock.now());
  expect(await lake.commit(table, change)).toMatchObject({ kind: 'committed', attempts: 1 });
});
