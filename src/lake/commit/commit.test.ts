import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Editable, expireSnapshots, loaded, setMain } from '../../../tests/support/edited-table.ts';
import { faultyCatalog, type SwapFault } from '../../../tests/support/faulty-catalog.ts';
import {
  append,
  createSmall,
  locationsOf,
  nothingStaged,
  smallFile,
  smallLake,
} from '../../../tests/support/small-lake.ts';
import { Failure, stringifyJson } from '../../base/base.ts';
import { expiredFiles } from '../cleaning/expired-files.ts';
import { type Change, type Lake, openMemoryCatalog, type Table } from '../lake.ts';

const failure = (of: Promise<unknown>): Promise<Failure> =>
  of.then(
    () => expect.unreachable('it did not fail'),
    (error) => error as Failure,
  );

async function start(options: { commitAttempts?: number } = {}) {
  const undisturbed = openMemoryCatalog();
  const catalog = faultyCatalog(undisturbed);
  const { lake, store, clock } = smallLake({ catalog, ...options });
  const table = await createSmall(lake);
  return { catalog, undisturbed, lake, store, clock, table };
}

type Started = Awaited<ReturnType<typeof start>>;

async function changeOf(lake: Lake, table: Table, commitId: string, rows = 10): Promise<Change> {
  const manifests = await lake.prepare(table, [smallFile(lake, table, { rows })]);
  return { commitId, operation: 'append', manifests, stage: nothingStaged };
}

async function rowsIn(lake: Lake): Promise<number> {
  const { files } = await lake.files((await lake.load('raw.events'))!);
  return files.reduce((rows, file) => rows + file.recordCount, 0);
}

/** Another writer's commit, through a lake of its own on the same store; no fault touches it. */
async function overtake({ undisturbed, store }: Started, commitId: string): Promise<void> {
  const { lake } = smallLake({ catalog: undisturbed, store, random: Math.random });
  const table = (await lake.load('raw.events'))!;
  await append(lake, table, { commitId, files: [smallFile(lake, table, { rows: 1 })] });
}

describe('a commit', () => {
  test('puts the files and what stage says of them on main, at the first attempt', async () => {
    const { lake, table } = await start();
    const change = await changeOf(lake, table, 'c1');
    const outcome = await lake.commit(table, {
      ...change,
      stage: (base, { sequenceNumber }) => ({
        summary: { 'lakeward.writer': 'w', on: base.metadataLocation },
        properties: { stamp: String(sequenceNumber) },
      }),
    });
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 1 });
    if (outcome.kind !== 'committed') return;
    expect(outcome.snapshot.summary).toMatchObject({
      operation: 'append',
      'lakeward.commit-id': 'c1',
      'lakeward.writer': 'w',
      on: table.metadataLocation,
      'added-data-files': '1',
      'added-records': '10',
      'total-records': '10',
    });
    expect(outcome.table.metadata.properties['stamp']).toBe('2');
    expect(await lake.load('raw.events')).toEqual(outcome.table);
  });

  test('that loses the race is staged again on the base that won, and both are there', async () => {
    const started = await start();
    const { catalog, lake, table } = started;
    const change = await changeOf(lake, table, 'mine');
    catalog.beforeSwap = async (attempt) => {
      if (attempt <= 2) await overtake(started, `other ${attempt}`);
    };
    const judged: bigint[] = [];
    const outcome = await lake.commit(table, {
      ...change,
      stage: (base) => {
        judged.push(base.metadata['current-snapshot-id']!);
        return { summary: {}, properties: {} };
      },
    });
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 3 });
    expect(new Set(judged).size).toBe(3);
    expect(await rowsIn(lake)).toBe(12);
  });

  test('leaves nothing behind of attempts that certainly lost', async () => {
    const started = await start();
    const { catalog, lake, store, table } = started;
    const change = await changeOf(lake, table, 'mine');
    catalog.beforeSwap = async (attempt) => {
      if (attempt === 1) await overtake(started, 'other');
    };
    const outcome = await lake.commit(table, change);
    const named = outcome.table.metadata.snapshots.map((snapshot) => snapshot['manifest-list']);
    const lists = (await locationsOf(store)).filter((location) => location.includes('/snap-'));
    expect(lists).toEqual(named.toSorted());
  });

  test('that stage refuses is refused with the reason, and its manifests stay for their owner to delete', async () => {
    const started = await start();
    const { catalog, lake, store, table } = started;
    const change = await changeOf(lake, table, 'mine');
    catalog.beforeSwap = () => overtake(started, 'other');
    const outcome = await lake.commit(table, {
      ...change,
      stage: (base) =>
        base.metadataLocation === table.metadataLocation ? nothingStaged() : { refused: 'positions moved' },
    });
    expect(outcome).toMatchObject({ kind: 'refused', why: 'positions moved' });
    expect(await locationsOf(store)).toContain(change.manifests[0]!.location);
    expect(await rowsIn(lake)).toBe(1);
  });

  test('given twice with one id is made once', async () => {
    const { lake, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    await lake.commit(table, change);
    const again = await lake.commit(table, change);
    expect(again.kind).toBe('committed');
    expect(await rowsIn(lake)).toBe(10);
  });

  test('gives up after its attempts and says that others were faster', async () => {
    const started = await start({ commitAttempts: 3 });
    const { catalog, lake, table } = started;
    const change = await changeOf(lake, table, 'mine');
    catalog.beforeSwap = (attempt) => overtake(started, `other ${attempt}`);
    const error = await failure(lake.commit(table, change));
    expect(error).toMatchObject({ code: 'lake.commit_conflict', retry: 'backoff' });
    expect(await rowsIn(lake)).toBe(3);
  });

  test('is not made on a table that was dropped and made anew, and keeps its files: nobody can look for it', async () => {
    const first = await start();
    const second = await start();
    const other = { ...second.table, metadata: { ...second.table.metadata, 'table-uuid': 'another table' } };
    const change = await changeOf(first.lake, first.table, 'mine');
    const outcome = await first.lake.commit({ ...other, metadataLocation: 'memory://lake/gone' }, change);
    expect(outcome).toMatchObject({ kind: 'superseded', why: 'the table was dropped and made anew' });
    expect(await locationsOf(first.store)).toContain(change.manifests[0]!.location);
  });

  test('on a base whose manifest list was tidied away goes on from the newest one', async () => {
    const { lake, store, table } = await start();
    const newer = await append(lake, table, { commitId: 'c1', files: [smallFile(lake, table)] });
    await store.delete([table.metadata.snapshots[0]!['manifest-list']]);
    const outcome = await lake.commit(table, await changeOf(lake, newer, 'c2'));
    expect(outcome.kind).toBe('committed');
    expect(await rowsIn(lake)).toBe(20);
  });

  test('does not list a manifest that the table has already', async () => {
    const { lake, table } = await start();
    const change = await changeOf(lake, table, 'c1');
    const { table: next } = await lake.commit(table, change);
    const error = await failure(lake.commit(next, { ...change, commitId: 'c2' }));
    expect(error.code).toBe('lake.manifest_listed_twice');
    expect(await rowsIn(lake)).toBe(10);
  });
});

describe('a commit whose answer is uncertain', () => {
  test('is found when the answer was lost after it landed', async () => {
    const { catalog, lake, table } = await start();
    catalog.faults.push('answer-lost');
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 1 });
    expect(catalog.swaps).toBe(1);
    expect(await rowsIn(lake)).toBe(10);
  });

  test('is found beneath the commits of others that came after it', async () => {
    const started = await start();
    const { catalog, lake, clock, table } = started;
    catalog.faults.push('answer-lost');
    const sleep = clock.sleep;
    clock.sleep = async (ms) => {
      clock.sleep = sleep;
      await overtake(started, 'other');
      await sleep(ms);
    };
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 1 });
    expect(await rowsIn(lake)).toBe(11);
  });

  test('is made again when the request was lost', async () => {
    const { catalog, lake, table } = await start();
    catalog.faults.push('request-lost', 'request-lost');
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 3 });
    expect(await rowsIn(lake)).toBe(10);
  });

  test('that lands while the next attempt is on its way is there once', async () => {
    const { catalog, lake, table } = await start();
    catalog.faults.push('late');
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome.kind).toBe('committed');
    expect(await rowsIn(lake)).toBe(10);
  });

  test('keeps its files when a conflict follows the lost answer', async () => {
    const { catalog, lake, store, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    // The first request arrives only when the second is sent, which then conflicts with it.
    catalog.faults.push('late');
    const outcome = await lake.commit(table, change);
    const kept = await locationsOf(store);
    expect(kept).toContain(outcome.table.metadataLocation);
    expect(kept).toContain(change.manifests[0]!.location);
    expect(kept.filter((location) => location.includes('/snap-'))).toHaveLength(3);
  });

  test('is found, and keeps its files, when the catalog says conflict because it was sent twice', async () => {
    const { catalog, lake, store, table } = await start();
    catalog.faults.push('sent-twice');
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 1 });
    expect(await locationsOf(store)).toContain(outcome.table.metadataLocation);
    expect(await rowsIn(lake)).toBe(10);
  });

  test('keeps its files when it was sent twice, and the table was dropped and made anew before it could be looked for', async () => {
    const { catalog, undisturbed, lake, store, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    catalog.faults.push('sent-twice');
    const { load } = catalog;
    let landed: Table | undefined;
    catalog.load = async (name) => {
      catalog.load = load;
      const operator = smallLake({ catalog: undisturbed, store, random: Math.random }).lake;
      landed = await operator.load(name);
      await undisturbed.drop(name);
      await createSmall(operator);
      return load(name);
    };
    expect(await lake.commit(table, change)).toMatchObject({ kind: 'superseded' });
    // An operator who registers the dropped table again finds it whole.
    const { files } = await lake.files(landed!);
    expect(files).toHaveLength(1);
  });

  test('and then refused is superseded: no failure, and nothing is deleted', async () => {
    const { catalog, lake, store, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    catalog.faults.push('request-lost');
    let stagings = 0;
    const before = await locationsOf(store);
    const outcome = await lake.commit(table, {
      ...change,
      stage: () => (++stagings === 1 ? nothingStaged() : { refused: 'positions moved' }),
    });
    expect(outcome).toMatchObject({ kind: 'superseded', why: 'positions moved' });
    expect(await locationsOf(store)).toEqual(expect.arrayContaining(before));
    expect(await locationsOf(store)).toHaveLength(before.length + 2);
  });

  describe.each([
    ['and then rolled back', false],
    ['rolled back, and its snapshot expired', true],
  ])('%s', (_, expired) => {
    test('is not made again of the same files, which go with the snapshot', async () => {
      const { catalog, undisturbed, lake, store, table } = await start();
      const change = await changeOf(lake, table, 'mine');
      const expirer = smallLake({ catalog: undisturbed, store, random: Math.random }).lake;
      let files: readonly string[] = [];
      catalog.faults.push('answer-lost');
      const { load } = catalog;
      catalog.load = async (name) => {
        catalog.load = load;
        const landed = await rollBack({ lake: expirer, catalog: undisturbed }, { to: table, expired });
        if (expired) {
          const after = (await expirer.load(name))!;
          files = (await expiredFiles({ store }, { before: landed, after })).locations;
        }
        return load(name);
      };
      const outcome = await lake.commit(table, change);
      expect(outcome.kind).toBe('superseded');
      // Another program may be about to delete what it worked out before.
      await store.delete(files);
      expect(await rowsIn(lake)).toBe(0);
    });
  });

  test('is made again when others’ commits show that the request was lost', async () => {
    const started = await start();
    const { catalog, lake, table } = started;
    catalog.faults.push('request-lost');
    const { load } = catalog;
    catalog.load = async (name) => {
      catalog.load = load;
      await overtake(started, 'theirs');
      return load(name);
    };
    const outcome = await lake.commit(table, await changeOf(lake, table, 'mine'));
    expect(outcome).toMatchObject({ kind: 'committed', attempts: 2 });
    expect(await rowsIn(lake)).toBe(11);
  });

  test('stays unknown while the catalog does not answer, and its files stay', async () => {
    const { catalog, lake, store, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    catalog.faults.push('answer-lost');
    catalog.beforeSwap = async () => {
      catalog.down = true;
    };
    const error = await failure(lake.commit(table, change));
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'lake.commit_unknown', fault: 'service', retry: 'refresh' });

    catalog.down = false;
    const landed = (await lake.load('raw.events'))!;
    expect(landed.metadata.snapshots).toHaveLength(2);
    expect(await rowsIn(lake)).toBe(10);
    expect(await locationsOf(store)).toContain(change.manifests[0]!.location);
  });

  test('is not reported as a conflict when the attempts run out', async () => {
    const { catalog, lake, table } = await start({ commitAttempts: 2 });
    catalog.faults.push('request-lost', 'turned-away');
    const error = await failure(lake.commit(table, await changeOf(lake, table, 'mine')));
    expect(error.code).toBe('lake.commit_unknown');
  });

  test('is not taken for made when it stands on another branch only', async () => {
    const { catalog, lake, store, table } = await start();
    const change = await changeOf(lake, table, 'mine');
    const landed = (await lake.commit(table, change)).table;
    // An operator rolled main back; the snapshot stays in the table, under a branch.
    const first = table.metadata['current-snapshot-id']!;
    const metadata = {
      ...landed.metadata,
      'current-snapshot-id': first,
      refs: {
        main: { 'snapshot-id': first, type: 'branch' },
        kept: { 'snapshot-id': landed.metadata['current-snapshot-id']!, type: 'branch' },
      },
    };
    const rolledBack = `${store.root}/raw/events/metadata/rolled-back.metadata.json`;
    await store.write(rolledBack, Buffer.from(stringifyJson(metadata)));
    await catalog.swap('raw.events', { from: landed.metadataLocation, to: rolledBack });
    const again = await lake.commit((await lake.load('raw.events'))!, change);
    expect(again).toMatchObject({ kind: 'committed', attempts: 1 });
    expect(await rowsIn(lake)).toBe(10);
  });
});

/** An operator moves main back to an older version's snapshot; says what the table was before. */
async function rollBack(
  editable: Editable,
  { to, expired }: { to: Table; expired: boolean },
): Promise<Table> {
  const before = await loaded(editable.lake, 'raw.events');
  await setMain(editable, 'raw.events', to.metadata['current-snapshot-id']!);
  if (expired) await expireSnapshots(editable, 'raw.events', [before.metadata['current-snapshot-id']!]);
  return before;
}

test('of many writers at once, under any faults, every commit is there exactly once', async () => {
  const fault = fc.constantFrom<SwapFault>(
    'ok',
    'ok',
    'answer-lost',
    'request-lost',
    'late',
    'sent-twice',
    'turned-away',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      async (faults, writers) => {
        const { catalog, lake, store, table } = await start({ commitAttempts: 60 });
        catalog.faults.push(...faults);
        const made = await Promise.all(
          Array.from({ length: writers }, async (_, writer) => {
            const own = smallLake({ catalog, store, random: Math.random, commitAttempts: 60 }).lake;
            const rows = 10 ** writer;
            const outcome = await own.commit(table, await changeOf(own, table, `writer ${writer}`, rows));
            expect(outcome.kind).toBe('committed');
            return rows;
          }),
        );
        expect(await rowsIn(lake)).toBe(made.reduce((all, rows) => all + rows, 0));
        const now = (await lake.load('raw.events'))!;
        expect(now.metadata.snapshots.at(-1)!.summary['total-records']).toBe(String(await rowsIn(lake)));
      },
    ),
    { numRuns: 60 },
  );
});
