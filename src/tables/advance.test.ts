import { describe, expect, test } from 'vitest';
import { currentId, editTable, foreignSnapshot, loaded, setMain } from '../../tests/support/edited-table.ts';
import {
  commit,
  type OurCommit,
  type RawLake,
  rawFile,
  rawLake,
  tryCommit,
} from '../../tests/support/raw-commits.ts';
import type { Table } from '../lake/lake.ts';
import type { Judged } from './advance.ts';
import { RAW_NAME } from './definitions.ts';
import { PIN, snapshotFacts, tableState } from './state.ts';

const STREAM = 'arn:s@1';
const took = (shard: string, from: string, to: string) => ({
  took: { [STREAM]: { [shard]: [from, to] as const } },
});

const stateOf = async ({ lake }: RawLake) => tableState(await loaded(lake, RAW_NAME));

const judgedOn = (table: Table, survives: Judged['survives']): Judged => ({
  uuid: table.metadata['table-uuid'],
  snapshot: currentId(table),
  survives,
});

async function refusal(raw: RawLake, change: OurCommit, base?: Table): Promise<string | undefined> {
  const before = await loaded(raw.lake, RAW_NAME);
  const outcome = await tryCommit(raw.lake, change, base);
  if (outcome.kind === 'committed') return undefined;
  expect(outcome.kind).toBe('refused');
  expect((await loaded(raw.lake, RAW_NAME)).metadataLocation).toBe(before.metadataLocation);
  return outcome.why;
}

describe('a commit that takes from a stream', () => {
  test('is refused unless it starts where the table stands', async () => {
    const raw = await rawLake();
    await commit(raw.lake, took('a', '', '100'));
    for (const from of ['', '99', '101', 'end']) {
      expect(await refusal(raw, took('a', from, '200'))).toMatch(/position of a is 100, not/);
    }
    expect(await refusal(raw, took('b', '100', '200'))).toMatch(/position of b is unknown, not 100/);
    expect(await refusal(raw, took('a', '100', '200'))).toBeUndefined();
  });

  test('is refused for all its shards when one of them moved', async () => {
    const raw = await rawLake();
    await commit(raw.lake, took('a', '', '100'));
    const both = { took: { [STREAM]: { a: ['', '150'] as const, b: ['', '70'] as const } } };
    expect(await refusal(raw, both)).toMatch(/position of a/);
    expect((await stateOf(raw)).positions).toEqual({ [STREAM]: { a: '100' } });
  });

  test('prepared twice is made once, whoever is first', async () => {
    const raw = await rawLake();
    const base = await loaded(raw.lake, RAW_NAME);
    const outcomes = await Promise.all(
      [1, 2, 3].map((rows) => tryCommit(raw.lake, { ...took('a', '', '100'), rows }, base)),
    );
    expect(outcomes.map((o) => o.kind).sort()).toEqual(['committed', 'refused', 'refused']);
  });

  test('keeps the positions of shards that others moved meanwhile', async () => {
    const raw = await rawLake();
    const base = await commit(raw.lake, took('a', '', '100'));
    await commit(raw.lake, took('b', '', '7'));
    expect(await refusal(raw, took('a', '100', '200'), base)).toBeUndefined();
    expect((await stateOf(raw)).positions).toEqual({ [STREAM]: { a: '200', b: '7' } });
  });

  test('keeps streams apart, and one re-created under its name from the one before', async () => {
    const raw = await rawLake();
    await commit(raw.lake, { took: { 'arn:s@1': { a: ['', '100'] } } });
    await commit(raw.lake, { took: { 'arn:s@2': { a: ['', '5'] } } });
    expect((await stateOf(raw)).positions).toEqual({ 'arn:s@1': { a: '100' }, 'arn:s@2': { a: '5' } });
  });

  test('that pins the start is made once', async () => {
    const raw = await rawLake();
    await commit(raw.lake, took(PIN, '', 'TRIM_HORIZON'));
    expect(await refusal(raw, took(PIN, '', 'AT_TIMESTAMP:5'))).toMatch(/pinned start is TRIM_HORIZON/);
  });

  test('after a rollback starts where the table was rolled back to, and nowhere else', async () => {
    const raw = await rawLake();
    const target = await commit(raw.lake, { ...took('a', '', '100'), rows: 1 });
    const newest = await commit(raw.lake, { ...took('a', '100', '200'), rows: 1 });
    await setMain(raw, RAW_NAME, currentId(target));
    expect(await refusal(raw, took('a', '200', '300'))).toMatch(/is 100, not 200/);
    // A worker that has not seen the rollback yet loses too.
    expect(await refusal(raw, took('a', '200', '300'), newest)).toMatch(/is 100, not 200/);
    expect(await refusal(raw, took('a', '100', '300'))).toBeUndefined();
  });
});

describe('a commit that was judged against a base', () => {
  const foreign = (raw: RawLake, operation: string) =>
    foreignSnapshot(raw, RAW_NAME, { operation, files: [rawFile(raw.lake, raw.table, 1)] });

  test.each([
    ['appends', 'append', undefined],
    ['appends', 'replace', undefined],
    ['appends', 'overwrite', 'a snapshot of operation overwrite came in between'],
    ['appends', 'delete', 'a snapshot of operation delete came in between'],
    ['replaces', 'replace', undefined],
    ['replaces', 'append', 'a snapshot of operation append came in between'],
    ['replaces', 'overwrite', 'a snapshot of operation overwrite came in between'],
    ['replaces', 'delete', 'a snapshot of operation delete came in between'],
  ] as const)('and survives %s, after a snapshot of operation %s: %s', async (survives, operation, why) => {
    const raw = await rawLake();
    const base = await commit(raw.lake, { rows: 1 });
    await foreign(raw, operation);
    expect(await refusal(raw, { judged: judgedOn(base, survives), rows: 1 })).toBe(why);
  });

  test('is refused when any snapshot in between does not let it survive, not only the newest', async () => {
    const raw = await rawLake();
    const base = await commit(raw.lake, { rows: 1 });
    await foreign(raw, 'delete');
    await foreign(raw, 'append');
    expect(await refusal(raw, { judged: judgedOn(base, 'appends') })).toMatch(/operation delete/);
  });

  test('of ours counts by its operation, like anybody’s', async () => {
    const raw = await rawLake();
    const base = await commit(raw.lake, { rows: 1 });
    await commit(raw.lake, { operation: 'replace' });
    expect(await refusal(raw, { judged: judgedOn(base, 'replaces') })).toBeUndefined();
    await commit(raw.lake, {});
    expect(await refusal(raw, { judged: judgedOn(base, 'replaces') })).toMatch(/operation append/);
  });

  test('is refused when that base was rolled away, though its rows lie on another branch', async () => {
    const raw = await rawLake();
    const target = await commit(raw.lake, { rows: 1 });
    const base = await commit(raw.lake, { rows: 1 });
    await setMain(raw, RAW_NAME, currentId(target));
    await commit(raw.lake, { rows: 1 });
    expect(await refusal(raw, { judged: judgedOn(base, 'appends') })).toMatch(/no ancestor any more/);
  });

  test('is refused on a table of the same name that was made anew', async () => {
    const raw = await rawLake();
    const base = await loaded(raw.lake, RAW_NAME);
    await editTable(raw, RAW_NAME, (metadata) => {
      metadata['table-uuid'] = crypto.randomUUID();
    });
    expect(await refusal(raw, { judged: judgedOn(base, 'appends') })).toMatch(/made anew/);
  });
});

describe('a commit that consumes a table', () => {
  const at = (snapshot: bigint, uuid = 'u') => ({ uuid, snapshot, sequenceNumber: Number(snapshot) });

  test('is refused when another consumed meanwhile', async () => {
    const raw = await rawLake();
    const consume = (from: ReturnType<typeof at> | undefined, to: ReturnType<typeof at>) => ({
      consumed: [{ table: 'raw.events', from, to }],
    });
    expect(await refusal(raw, consume(undefined, at(1n)))).toBeUndefined();
    for (const from of [undefined, at(2n), at(1n, 'other')]) {
      expect(await refusal(raw, consume(from, at(3n)))).toMatch(
        /raw.events was consumed up to another snapshot/,
      );
    }
    expect(await refusal(raw, consume(at(1n), at(2n)))).toBeUndefined();
    expect((await stateOf(raw)).consumed).toEqual({ 'raw.events': at(2n) });
  });
});

describe('what a commit writes', () => {
  test('is stamped with its own snapshot, and its summary says only what it changed', async () => {
    const raw = await rawLake();
    await commit(raw.lake, { ...took('a', '', '100'), rows: 4 });
    const table = await commit(raw.lake, { ...took('b', '', '9'), rows: 6 });
    const newest = table.metadata.snapshots.at(-1)!;
    expect(table.metadata.properties['lakeward.stamp']).toBe(
      `{"snapshot":${newest['snapshot-id']},"sequenceNumber":${newest['sequence-number']}}`,
    );
    expect(snapshotFacts(newest)).toMatchObject({
      took: { [STREAM]: { b: ['', '9'] } },
      ledger: { written: 6 },
    });
    expect((await stateOf(raw)).ledger).toMatchObject({ received: 10, written: 10 });
  });

  test('keeps rejected manifests until a commit knows that they are adopted', async () => {
    const raw = await rawLake();
    const rejecting = (location: string, adoptedUpTo?: number): OurCommit => ({
      rejected: { locations: [location], rows: 1, committedAt_ms: 7 },
      ...(adoptedUpTo === undefined ? {} : { adoptedUpTo }),
    });
    const waiting = async () => (await stateOf(raw)).rejected.flatMap((r) => r.locations);
    const first = await commit(raw.lake, rejecting('m1'));
    await commit(raw.lake, rejecting('m2'));
    expect(await waiting()).toEqual(['m1', 'm2']);
    const upTo = first.metadata['last-sequence-number'];
    await commit(raw.lake, rejecting('m3', upTo));
    expect(await waiting()).toEqual(['m2', 'm3']);
    await commit(raw.lake, { adoptedUpTo: upTo });
    expect(await waiting()).toEqual(['m2', 'm3']);
    await commit(raw.lake, { adoptedUpTo: upTo + 2 });
    expect(await waiting()).toEqual([]);
  });
});

test('a position that nothing needs goes, by compare-and-swap as any other, and a rollback brings it back', async () => {
  const raw = await rawLake();
  await commit(raw.lake, took('a', '', 'end'));
  const before = currentId(await commit(raw.lake, took('b', '', '7')));
  expect(await refusal(raw, took('b', 'end', ''))).toMatch(/position of b is 7, not end/);
  await commit(raw.lake, took('a', 'end', ''));
  expect((await stateOf(raw)).positions).toEqual({ [STREAM]: { b: '7' } });
  await setMain(raw, RAW_NAME, before);
  expect((await stateOf(raw)).positions).toEqual({ [STREAM]: { a: 'end', b: '7' } });
});

test('ranges that expired unread stand in the summary of the commit that went on behind them', async () => {
  const raw = await rawLake();
  const expired = [{ stream: STREAM, shard: 'a', from: '4', to: '9', since_ms: 5, until_ms: 7 }];
  await commit(raw.lake, { ...took('a', '', '10'), expired });
  const table = await commit(raw.lake, took('a', '10', '11'));
  const found = table.metadata.snapshots.map((snapshot) => snapshotFacts(snapshot)?.expired);
  expect(found.slice(-2)).toEqual([expired, []]);
});
