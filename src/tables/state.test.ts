import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  currentId,
  editTable,
  expireSnapshots,
  foreignSnapshot,
  loaded,
  setMain,
} from '../../tests/support/edited-table.ts';
import { commit, type RawLake, rawFile, rawLake } from '../../tests/support/raw-commits.ts';
import { smallLake } from '../../tests/support/small-lake.ts';
import { Failure } from '../base/base.ts';
import { emptyTally } from '../event/event.ts';
import { ancestors, type Table } from '../lake/lake.ts';
import { RAW_NAME } from './definitions.ts';
import { type Consumed, snapshotFacts, type TableState, tableState } from './state.ts';

const STREAM = 'arn:s@1';

/** One commit that moves shard a from position to position and brings ten rows. */
const take = (raw: RawLake, from: string, to: string, more: object = {}) =>
  commit(raw.lake, { rows: 10, took: { [STREAM]: { a: [from, to] } }, ...more });

const foreign = async (raw: RawLake, rows: number) =>
  foreignSnapshot(raw, RAW_NAME, { files: [rawFile(raw.lake, raw.table, rows)] });

const stateOf = async (raw: RawLake): Promise<TableState> => tableState(await loaded(raw.lake, RAW_NAME));

const undecidable = expect.objectContaining({ code: 'tables.state_undecidable' });

function refusalOf(table: Table): unknown {
  try {
    tableState(table);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('the state of a table', () => {
  test('is empty before anything was taken', async () => {
    const raw = await rawLake();
    expect(await stateOf(raw)).toEqual({
      positions: {},
      ledger: emptyTally,
      consumed: {},
      rejected: [],
      foreignRows: 0,
    });
  });

  test('is the property where our commit is the current snapshot', async () => {
    const raw = await rawLake();
    await take(raw, '', '100');
    await take(raw, '100', '200');
    expect(await stateOf(raw)).toMatchObject({
      positions: { [STREAM]: { a: '200' } },
      ledger: { received: 20, written: 20, foreign: 0 },
      foreignRows: 0,
    });
  });

  test('is the property after others appended, whose rows the next commit of ours enters as foreign', async () => {
    const raw = await rawLake();
    await take(raw, '', '100');
    await foreign(raw, 3);
    await foreign(raw, 4);
    expect(await stateOf(raw)).toMatchObject({ positions: { [STREAM]: { a: '100' } }, foreignRows: 7 });
    await take(raw, '100', '200');
    expect(await stateOf(raw)).toMatchObject({
      positions: { [STREAM]: { a: '200' } },
      ledger: { written: 20, foreign: 7 },
      foreignRows: 0,
    });
  });

  test('keeps snapshot ids of 63 bits and small ones alike', async () => {
    const raw = await rawLake();
    for (const snapshot of [9_223_372_036_854_775_807n, 5n]) {
      const from = (await stateOf(raw)).consumed['x'];
      await commit(raw.lake, {
        consumed: [{ table: 'x', from, to: { uuid: 'u', snapshot, sequenceNumber: 1 } }],
      });
      expect((await stateOf(raw)).consumed['x']).toEqual({ uuid: 'u', snapshot, sequenceNumber: 1 });
    }
  });
});

describe('the state after an operator moved main', () => {
  test('has what the undone commits took, counted and consumed taken back', async () => {
    const raw = await rawLake();
    const first: Consumed = { uuid: 'u', snapshot: 1n, sequenceNumber: 1 };
    const second: Consumed = { uuid: 'u', snapshot: 2n, sequenceNumber: 2 };
    const target = await take(raw, '', '100', { consumed: [{ table: 'x', from: undefined, to: first }] });
    const rejected = { locations: ['m'], rows: 1, committedAt_ms: 0 };
    await take(raw, '100', '200', { rejected, consumed: [{ table: 'x', from: first, to: second }] });
    await commit(raw.lake, {
      rows: 5,
      took: { [STREAM]: { b: ['', '50'] }, other: { '*': ['', 'TRIM_HORIZON'] } },
    });
    const back = tableState(await setMain(raw, RAW_NAME, currentId(target)));
    expect(back).toMatchObject({
      positions: { [STREAM]: { a: '100' } },
      ledger: { received: 10, written: 10 },
      consumed: { x: first },
      rejected: [],
      foreignRows: 0,
    });
    expect(Object.keys(back.positions[STREAM]!)).toEqual(['a']);
    expect(back.positions['other']).toBeUndefined();
  });

  test('goes on from there: our next commit starts at the positions taken back', async () => {
    const raw = await rawLake();
    const target = await take(raw, '', '100');
    await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(target));
    await take(raw, '100', '150');
    expect(await stateOf(raw)).toMatchObject({
      positions: { [STREAM]: { a: '150' } },
      ledger: { written: 20 },
    });
  });

  test('rolled forward to another branch has that branch’s commits applied, its rejected manifests too', async () => {
    const raw = await rawLake();
    const fork = await take(raw, '', '100');
    const left = await take(raw, '100', '200', {
      rejected: { locations: ['m'], rows: 1, committedAt_ms: 0 },
    });
    await setMain(raw, RAW_NAME, currentId(fork));
    await take(raw, '100', '170');
    const forward = tableState(await setMain(raw, RAW_NAME, currentId(left)));
    expect(forward).toMatchObject({ positions: { [STREAM]: { a: '200' } }, ledger: { written: 20 } });
    expect(forward.rejected.map((r) => r.locations)).toEqual([['m']]);
  });

  test('back to a snapshot of others counts their rows as foreign still', async () => {
    const raw = await rawLake();
    await take(raw, '', '100');
    const target = await foreign(raw, 5);
    await take(raw, '100', '200');
    expect(tableState(await setMain(raw, RAW_NAME, currentId(target)))).toMatchObject({
      positions: { [STREAM]: { a: '100' } },
      ledger: { written: 10, foreign: 0 },
      foreignRows: 5,
    });
  });

  test('is undecidable when neither line reaches the place where they part', async () => {
    const raw = await rawLake();
    const fork = await take(raw, '', '100');
    const left = await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(fork));
    await take(raw, '100', '170');
    await setMain(raw, RAW_NAME, currentId(left));
    expect(refusalOf(await expireSnapshots(raw, RAW_NAME, [currentId(fork)]))).toEqual(undecidable);
  });
});

describe('the state when the stamped snapshot was expired', () => {
  test('is the property while its child still names it', async () => {
    const raw = await rawLake();
    const stamped = await take(raw, '', '100');
    await foreign(raw, 3);
    await foreign(raw, 4);
    const expired = await expireSnapshots(raw, RAW_NAME, [currentId(raw.table), currentId(stamped)]);
    expect(tableState(expired)).toMatchObject({ positions: { [STREAM]: { a: '100' } }, foreignRows: 7 });
  });

  test('is the property when the line breaks at another missing parent before anything older', async () => {
    const raw = await rawLake();
    const stamped = await take(raw, '', '100');
    const child = await foreign(raw, 3);
    await foreign(raw, 4);
    const ids = [raw.table, stamped, child].map(currentId);
    expect(tableState(await expireSnapshots(raw, RAW_NAME, ids))).toMatchObject({
      positions: { [STREAM]: { a: '100' } },
      foreignRows: 7,
    });
  });

  test('is undecidable when others went on from behind it, and what they went on from is expired too', async () => {
    const raw = await rawLake();
    const target = await take(raw, '', '100');
    const stamped = await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(target));
    const child = await foreign(raw, 3);
    await foreign(raw, 4);
    const ids = [raw.table, target, stamped].map(currentId);
    const expired = await expireSnapshots(raw, RAW_NAME, ids);
    expect(refusalOf(expired)).toEqual(undecidable);
    // Nor when the first of theirs is gone: older versions of the table still tell whose child it was.
    expect(refusalOf(await expireSnapshots(raw, RAW_NAME, [currentId(child)]))).toEqual(undecidable);
  });

  test('is undecidable when neither the table nor an older version of it tells what the line led to', async () => {
    const raw = await rawLake();
    const stamped = await take(raw, '', '100');
    const child = await foreign(raw, 3);
    await foreign(raw, 4);
    const ids = [raw.table, stamped, child].map(currentId);
    const { metadata } = await expireSnapshots(raw, RAW_NAME, ids);
    await raw.lake.store.delete(metadata['metadata-log'].map((each) => each['metadata-file']));
    const { lake } = smallLake({ store: raw.lake.store, catalog: raw.catalog });
    const failure = refusalOf(await loaded(lake, RAW_NAME));
    expect(failure).toEqual(undecidable);
    expect((failure as Failure).why).toMatch(/older metadata files/);
  });

  test('is undecidable when the table was rolled back behind it', async () => {
    const raw = await rawLake();
    const target = await take(raw, '', '100');
    const stamped = await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(target));
    expect(refusalOf(await expireSnapshots(raw, RAW_NAME, [currentId(stamped)]))).toEqual(undecidable);
  });

  test('is undecidable when others went on from a snapshot behind it', async () => {
    const raw = await rawLake();
    const target = await take(raw, '', '100');
    const stamped = await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(target));
    await foreign(raw, 3);
    expect(refusalOf(await expireSnapshots(raw, RAW_NAME, [currentId(stamped)]))).toEqual(undecidable);
  });

  test('is undecidable when the current line is whole and never had it', async () => {
    const raw = await rawLake();
    const stamped = await take(raw, '', '100');
    await foreign(raw, 3);
    // As CREATE OR REPLACE TABLE leaves it: the newest snapshot begins a line of its own.
    const replaced = await editTable(raw, RAW_NAME, (metadata) => {
      const { 'parent-snapshot-id': _, ...newest } = metadata.snapshots.at(-1)!;
      const summary = { ...newest.summary, 'total-records': newest.summary['added-records']! };
      metadata.snapshots = [{ ...newest, summary }];
    });
    expect(replaced.metadata.snapshots.map((s) => s['snapshot-id'])).not.toContain(currentId(stamped));
    expect(refusalOf(replaced)).toEqual(undecidable);
  });

  test('is the property when the program that expired it took its id out of the child', async () => {
    const raw = await rawLake();
    await take(raw, '', '100');
    await foreign(raw, 3);
    const expired = await editTable(raw, RAW_NAME, (metadata) => {
      const { 'parent-snapshot-id': _, ...newest } = metadata.snapshots.at(-1)!;
      metadata.snapshots = [newest];
    });
    expect(tableState(expired)).toMatchObject({ positions: { [STREAM]: { a: '100' } }, foreignRows: 3 });
  });

  test('is undecidable when there is no current snapshot at all', async () => {
    const raw = await rawLake();
    await take(raw, '', '100');
    const emptied = await editTable(raw, RAW_NAME, (metadata) => {
      metadata['current-snapshot-id'] = null;
      metadata.refs = {};
    });
    expect(refusalOf(emptied)).toEqual(undecidable);
  });

  test('says whose problem it is and what to do', async () => {
    const raw = await rawLake();
    const target = await take(raw, '', '100');
    const stamped = await take(raw, '100', '200');
    await setMain(raw, RAW_NAME, currentId(target));
    const failure = refusalOf(await expireSnapshots(raw, RAW_NAME, [currentId(stamped)]));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ fault: 'user', retry: 'never', hint: expect.stringMatching(/roll/) });
  });
});

test('what a snapshot changed can be read back from its summary; another program’s says nothing', async () => {
  const raw = await rawLake();
  const to: Consumed = { uuid: 'u', snapshot: 9_000_000_000_000_000_001n, sequenceNumber: 4 };
  const ours = await take(raw, '', '100', { consumed: [{ table: 'x', from: undefined, to }] });
  expect(snapshotFacts(ours.metadata.snapshots.at(-1)!)).toMatchObject({
    writer: 'test',
    took: { [STREAM]: { a: ['', '100'] } },
    consumed: { x: { from: null, to } },
    ledger: { received: 10, written: 10 },
    rejected: undefined,
  });
  const theirs = await foreign(raw, 1);
  expect(snapshotFacts(theirs.metadata.snapshots.at(-1)!)).toBeUndefined();
});

/** What a plain reading of history says at each snapshot: what lies on its own line, and nothing else. */
interface Told {
  positions: Record<string, string>;
  written: number;
  foreign: number;
  foreignRows: number;
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('ours' as const),
        shard: fc.constantFrom('a', 'b'),
        rows: fc.nat(3),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('foreign' as const), rows: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('move' as const), to: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), which: fc.nat() }) },
  ),
  { maxLength: 14 },
);

test('after any commits, foreign appends, rollbacks and expiries the state is that of the current line, or undecidable', async () => {
  let decided = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const raw = await rawLake();
      const told = new Map<bigint, Told>([
        [currentId(raw.table), { positions: {}, written: 0, foreign: 0, foreignRows: 0 }],
      ]);
      let stamp = currentId(raw.table);
      let position = 0;
      for (const step of script) {
        const table = await loaded(raw.lake, RAW_NAME);
        const here = told.get(currentId(table))!;
        if (refusalOf(table) !== undefined) return void refused++;
        if (step.do === 'ours') {
          const to = String(++position);
          const took = { [STREAM]: { [step.shard]: [here.positions[step.shard] ?? '', to] as const } };
          stamp = currentId(await commit(raw.lake, { rows: step.rows, took }));
          told.set(stamp, {
            positions: { ...here.positions, [step.shard]: to },
            written: here.written + step.rows,
            foreign: here.foreign + here.foreignRows,
            foreignRows: 0,
          });
        } else if (step.do === 'foreign') {
          const id = currentId(await foreign(raw, step.rows));
          told.set(id, { ...here, foreignRows: here.foreignRows + step.rows });
        } else {
          // Our expiry keeps the stamped snapshot, and nobody expires the current one.
          const retained = table.metadata.snapshots.map((s) => s['snapshot-id']);
          const others = retained.filter((id) => id !== stamp && id !== currentId(table));
          const chosen =
            step.do === 'move' ? retained[step.to % retained.length] : others[step.which % others.length];
          if (chosen === undefined) continue;
          if (step.do === 'move') await setMain(raw, RAW_NAME, chosen);
          else await expireSnapshots(raw, RAW_NAME, [chosen]);
        }
        const now = await loaded(raw.lake, RAW_NAME);
        if (refusalOf(now) !== undefined) {
          // Only where a line is broken may nothing be said.
          expect(
            ancestors(now.metadata, currentId(now)).broken || ancestors(now.metadata, stamp).broken,
          ).toBe(true);
          return void refused++;
        }
        const state = tableState(now);
        const { positions, written, foreign: entered, foreignRows } = told.get(currentId(now))!;
        expect(state.positions[STREAM] ?? {}).toEqual(positions);
        expect(state.ledger).toMatchObject({ written, received: written, foreign: entered });
        expect(state.foreignRows).toBe(foreignRows);
        decided++;
      }
    }),
    { numRuns: 150 },
  );
  expect(decided).toBeGreaterThan(10 * refused);
});
