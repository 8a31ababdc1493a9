import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it, onTestFinished } from 'vitest';
import { editTable, loaded, setMain } from '../../tests/support/edited-table.ts';
import { event, events } from '../../tests/support/events.ts';
import { failingEngine } from '../../tests/support/failing-engine.ts';
import { commit } from '../../tests/support/raw-commits.ts';
import { ScriptedStream, type StreamRecord } from '../../tests/support/scripted-stream.ts';
import { movedClock } from '../../tests/support/small-lake.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { Failure, silentLog } from '../base/base.ts';
import { type Engine, openEngine, storeFiles } from '../engine/engine.ts';
import {
  advance,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW,
  RAW_NAME,
  STAGING_NAME,
  tableState,
} from '../tables/tables.ts';
import { type Verified, type VerifyOptions, verifyLake } from './verify.ts';

interface Setup {
  worker: Worker;
  stream: ScriptedStream;
  verify(over?: Partial<VerifyOptions>): Promise<Verified>;
}

/** Ten events in two commits, one of them sent three times, and two records that are none; all of it through. */
async function cleanLake(): Promise<Setup> {
  const setup = await emptyLake();
  const { worker, stream } = setup;
  stream.put([...events(1, 2, 3, 4, 5, 1), 'no JSON']);
  await worker.process();
  stream.put([...events(6, 7, 8, 9, 10, 1), '{"event_uuid":""}']);
  await worker.process();
  await worker.adopt();
  await worker.stage();
  return setup;
}

async function emptyLake(): Promise<Setup> {
  const folder = await lakeFolder();
  const stream = new ScriptedStream({ shards: 2 });
  const worker = await openWorker({ folder, stream });
  const spoolFolder = join(folder, 'spools');
  await mkdir(spoolFolder);
  // Another engine than the one that wrote, which may remember what stood in a file.
  const engine = await openEngine({ workFolder: join(folder, 'verify'), memory_bytes: 5e8, threads: 1 });
  onTestFinished(() => engine.close());
  const verify = (over: Partial<VerifyOptions> = {}) =>
    verifyLake({
      lake: worker.lake,
      engine,
      log: silentLog,
      clock: movedClock(Date.UTC(2026, 0, 16)),
      stream,
      limits: worker.options().limits,
      deep: true,
      spoolFolder,
      maxRows: 5,
      maxBytes: 1e9,
      signal: new AbortController().signal,
      ...over,
    });
  return { worker, stream, verify };
}

const codes = ({ findings }: Verified) => findings.map(({ code }) => code);
const finding = ({ findings }: Verified, code: string) => findings.find((f) => f.code === code);

async function filesOf({ lake }: Worker, name: string) {
  const { files } = await lake.files(await loaded(lake, name));
  return files.map((file) => ({ file, path: lake.store.localPath(file.location)! }));
}

/** Writes a file of a table anew in its place, with its field ids, through an SQL select over what it holds. */
async function rewrite(path: string, select: (file: string) => string, table = RAW): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  await c.run("set timezone = 'UTC'");
  await c.run(`create table held as from read_parquet('${path}', hive_partitioning = false)`);
  const ids = table.schema.fields.map(({ id, name }) => `${name}: ${id}`).join(', ');
  await c.run(`copy (${select('held')}) to '${path}' (format parquet, compression zstd, field_ids {${ids}})`);
  instance.closeSync();
}

describe('a lake in order', () => {
  it('has no finding, and its figures are those of its ledgers', async () => {
    const { verify, stream } = await cleanLake();
    const verified = await verify();
    expect(verified.findings).toEqual([]);
    expect(verified.checks.every(({ ok }) => ok)).toBe(true);
    expect(verified).toMatchObject({
      events: 10,
      quarantined: 2,
      waiting: 0,
      ledger: { received: 14, written: 10, duplicate: 2, quarantined: 2 },
    });
    expect(verified.checks.map(({ code }) => code)).toEqual([
      'raw.events.ledger',
      'raw.events.snapshots',
      'quarantine.events.ledger',
      'quarantine.events.snapshots',
      'staging.events.ledger',
      'staging.events.snapshots',
      'quarantine.events.files',
      'raw.events.files',
      'staging.events.files',
      'raw.events.rows',
      'quarantine.rows',
      'staging.events.rows',
      'staging.repeats',
      'staging.missing',
      'staging.extra',
      'staging.altered',
      'stream.missing',
      'stream.received',
      'stream.quarantined',
    ]);
    expect(stream.spoolsOpen).toBe(0);
  });

  it('may be empty, or hold a stream that nobody read', async () => {
    const { verify, stream } = await emptyLake();
    expect(codes(await verify())).toEqual([]);
    stream.put(events(1));
    expect(codes(await verify())).toEqual([]);
  });

  it('may have rows on their way to staging and records on their way to quarantine', async () => {
    const { worker, stream, verify } = await cleanLake();
    stream.put([...events(11, 12), 'no JSON either']);
    await worker.process({ adopt: async () => -1 });
    const verified = await verify();
    expect(verified.findings).toEqual([]);
    expect(verified).toMatchObject({ waiting: 2, events: 10, quarantined: 2 });
  });

  it('tells what the stream may have dropped unread, and where it was; that is no finding', async () => {
    const { worker, verify } = await cleanLake();
    expect((await verify()).expired).toEqual([]);
    const range = { stream: 'arn:any', shard: 'shardId-000000000001', from: '7', to: '9' };
    const ranges = [
      { ...range, since_ms: Date.UTC(2026, 0, 15), until_ms: Date.UTC(2026, 0, 16) },
      { ...range, from: '9', to: 'end' },
    ];
    for (const each of ranges) await commit(worker.lake, { expired: [each] });
    const verified = await verify();
    expect(verified.findings).toEqual([]);
    expect(verified.expired).toEqual(ranges);
  });

  it('may have a stream with more records than were taken', async () => {
    const { stream, verify } = await cleanLake();
    stream.put([...events(13, 14, 15), 'nor this']);
    expect(codes(await verify())).toEqual([]);
  });

  it('may be written to while it is verified', async () => {
    const { worker, stream, verify } = await cleanLake();
    // Between the loading of the tables, a batch goes all the way to staging and quarantine.
    const { lake } = worker;
    const inBetween = {
      ...lake,
      load: async (name: string) => {
        const table = await lake.load(name);
        if (name === STAGING_NAME) {
          stream.put([...events(20, 21), 'broken']);
          await worker.process();
          await worker.adopt();
          await worker.stage();
        }
        return table;
      },
    };
    expect(codes(await verify({ lake: inBetween }))).toEqual([]);
  });

  it('is compared with the stream as far as the stream goes back', async () => {
    const { stream, verify } = await cleanLake();
    stream.trim(0, 2);
    // After its retention, counts of the stream say nothing; what is still in it must be in raw.
    const later = movedClock(Date.UTC(2026, 0, 20));
    expect(codes(await verify({ clock: later }))).toEqual([]);
    expect((await verify({ clock: later })).checks.map(({ code }) => code)).not.toContain('stream.received');
  });
});

describe('a data file', () => {
  it('that is gone is named', async () => {
    const { worker, verify } = await cleanLake();
    const [gone] = await filesOf(worker, STAGING_NAME);
    await worker.lake.store.delete([gone!.file.location]);
    const verified = await verify();
    expect(finding(verified, 'staging.events.files')!.found).toBe(`${gone!.file.location} is gone`);
    expect(finding(verified, 'staging.events.rows')).toMatchObject({ expected: '10', found: '0' });
    expect(finding(verified, 'staging.missing')).toMatchObject({ expected: '0', found: '10' });
  });

  it.each(['raw.events', 'quarantine.events'])('of %s that is gone is named', async (name) => {
    const { worker, verify } = await cleanLake();
    const [gone] = await filesOf(worker, name);
    await worker.lake.store.delete([gone!.file.location]);
    const verified = await verify({ stream: undefined });
    expect(finding(verified, `${name}.files`)!.found).toBe(`${gone!.file.location} is gone`);
    expect(codes(verified)).toContain(name === 'raw.events' ? 'raw.events.rows' : 'quarantine.rows');
  });

  it('that is cut off or overwritten is named', async () => {
    const { worker, verify } = await cleanLake();
    const [first, second] = await filesOf(worker, RAW_NAME);
    await truncate(first!.path, 100);
    await writeFile(second!.path, Buffer.alloc(second!.file.fileSize, 0x41));
    const found = finding(await verify(), 'raw.events.files')!.found;
    expect(found).toContain(`${first!.file.location} has 100 bytes, not`);
    expect(found).toContain(`${first!.file.location} cannot be read`);
    expect(found).toContain(`${second!.file.location} cannot be read`);
  });

  it('with damaged rows is named although its footer is whole', async () => {
    const { worker, verify } = await cleanLake();
    const [file] = await filesOf(worker, STAGING_NAME);
    const bytes = Buffer.from(await worker.lake.store.read(file!.file.location));
    bytes.fill(0xff, 4, 60);
    await writeFile(file!.path, bytes);
    const verified = await verify();
    expect(codes(verified)).toEqual(['staging.unreadable']);
    expect(finding(verified, 'staging.unreadable')!.found).toBe(`${file!.file.location} is damaged`);
  });

  it('is not called damaged because the store is away', async () => {
    const { worker, verify } = await cleanLake();
    const details = { code: 'object_store.unreachable', fault: 'service', retry: 'backoff' } as const;
    const away = new Failure('GET failed', details);
    const engine = new Proxy(worker.engine, {
      get: (target, key) =>
        key === 'compareIdentities' ? () => Promise.reject(away) : target[key as keyof Engine],
    });
    await expect(verify({ engine })).rejects.toBe(away);
  });

  it('that lost a row is named, and the event is missing', async () => {
    const { worker, verify } = await cleanLake();
    const [file] = await filesOf(worker, STAGING_NAME);
    await rewrite(file!.path, (held) => `from ${held} limit 9`);
    const verified = await verify();
    expect(finding(verified, 'staging.events.files')!.found).toContain(
      `${file!.file.location} holds 9 rows, not 10`,
    );
    expect(finding(verified, 'staging.events.rows')).toMatchObject({ expected: '10', found: '9' });
    expect(finding(verified, 'staging.missing')).toMatchObject({ expected: '0', found: '1' });
  });
});

describe('staging', () => {
  it('that holds an event twice is found', async () => {
    const { worker, verify } = await cleanLake();
    await commitTwice(worker, 3);
    const verified = await verify();
    expect(codes(verified)).toEqual(['staging.repeats']);
    expect(finding(verified, 'staging.repeats')).toMatchObject({ expected: '0', found: '1' });
  });

  it('that holds an event which raw does not is found', async () => {
    const { worker, verify } = await cleanLake();
    const [first] = await filesOf(worker, STAGING_NAME);
    await rewrite(
      first!.path,
      (held) =>
        `select * replace (case when row_number() over () = 1 then 'stranger' else event_uuid end as event_uuid) from ${held}`,
    );
    expect(codes(await verify({ deep: false }))).toEqual(
      expect.arrayContaining(['staging.missing', 'staging.extra']),
    );
  });

  it('with an altered document is found when it looks deep', async () => {
    const { worker, verify } = await cleanLake();
    const [first] = await filesOf(worker, STAGING_NAME);
    await rewrite(
      first!.path,
      (held) =>
        `select * replace (case when event_uuid like '%7' then document || ' ' else document end as document) from ${held}`,
    );
    const verified = await verify();
    expect(finding(verified, 'staging.altered')).toMatchObject({ expected: '0', found: '1' });
    expect(codes(await verify({ deep: false }))).not.toContain('staging.altered');
  });

  it('may keep either of two events that share an identity', async () => {
    const { worker, stream, verify } = await emptyLake();
    stream.put([event(1), event(1, { note: 'another' })]);
    await worker.process();
    await worker.stage();
    expect(codes(await verify())).toEqual([]);
  });
});

describe('ledgers', () => {
  it.each([
    ['received', ['raw.events.ledger', 'raw.events.snapshots', 'stream.received']],
    ['written', ['raw.events.ledger', 'raw.events.snapshots', 'raw.events.rows']],
    ['duplicate', ['raw.events.ledger', 'raw.events.snapshots']],
    ['quarantined', ['raw.events.ledger', 'raw.events.snapshots', 'quarantine.rows', 'stream.quarantined']],
    ['bytes', ['raw.events.snapshots']],
  ] as const)('with an altered %s are found', async (key, expected) => {
    const { worker, verify } = await cleanLake();
    const { ledger } = tableState(await loaded(worker.lake, RAW_NAME));
    await editTable(worker, RAW_NAME, (metadata) => {
      const altered = JSON.stringify({ ...ledger, [key]: ledger[key] + 1 });
      metadata.properties = { ...metadata.properties, 'lakeward.ledger': altered };
    });
    expect(codes(await verify())).toEqual(expected);
  });

  it('say what they say and what was found', async () => {
    const { worker, verify } = await cleanLake();
    const { ledger } = tableState(await loaded(worker.lake, RAW_NAME));
    await editTable(worker, RAW_NAME, (metadata) => {
      const altered = JSON.stringify({ ...ledger, duplicate: 3 });
      metadata.properties = { ...metadata.properties, 'lakeward.ledger': altered };
    });
    const verified = await verify();
    expect(finding(verified, 'raw.events.ledger')).toEqual({
      code: 'raw.events.ledger',
      what: 'raw.events: received = written + duplicate + quarantined',
      expected: '14',
      found: '10 + 3 + 2',
    });
    expect(finding(verified, 'raw.events.snapshots')).toMatchObject({
      expected: 'duplicate 3',
      found: 'duplicate 2',
    });
  });
});

describe('quarantine', () => {
  it('that lacks a record is found, also while raw still names its manifest', async () => {
    const { worker, verify } = await cleanLake();
    const [file] = await filesOf(worker, 'quarantine.events');
    await rewrite(file!.path, (held) => `from ${held} limit 0`, QUARANTINE);
    const verified = await verify();
    expect(finding(verified, 'quarantine.rows')).toMatchObject({ expected: '2', found: '1' });
  });

  it('that was rolled back is found to lack what raw no longer names', async () => {
    const { worker, stream, verify } = await emptyLake();
    for (const n of [1, 2, 3]) {
      stream.put([`no JSON ${n}`, ...events(n)]);
      await worker.process();
    }
    await worker.stage();
    expect(codes(await verify())).toEqual([]);
    const { metadata } = await loaded(worker.lake, QUARANTINE_NAME);
    await setMain(worker, QUARANTINE_NAME, metadata.snapshots[0]!['snapshot-id']);
    // What raw still names is adopted again; the others were let go of once they had been adopted.
    await worker.adopt();
    const verified = await verify();
    expect(codes(verified)).toEqual(['quarantine.rows']);
    expect(finding(verified, 'quarantine.rows')).toMatchObject({ expected: '3', found: '1' });
  });

  it('that was never made although raw rejected records waits for them', async () => {
    const { worker, stream, verify } = await emptyLake();
    stream.put(['broken', ...events(1)]);
    await worker.process({ adopt: async () => -1 });
    expect(codes(await verify())).toEqual([]);
  });
});

describe('records that crashed the engine', () => {
  const POISON = 'poison';
  async function poisonedLake() {
    const setup = await emptyLake();
    const { worker, stream } = setup;
    const failure = new Failure('judging failed', { code: 'engine.failed', fault: 'ourselves' });
    const failing = (engine: Engine) =>
      failingEngine(engine, { marker: POISON, at: 'judge', failure }).engine;
    const body = (n: number) => event(n, n % 7 === 2 ? { note: POISON } : {});
    stream.put([...Array.from({ length: 20 }, (_, n) => body(n)), 'no JSON', event(1)]);
    await worker.process({ engine: failing(worker.engine), maxRows: 9 });
    return { ...setup, failing };
  }

  it.each([
    ['before', false],
    ['after', true],
  ] as const)('stand in the ledger, and are judged no more: %s they were adopted', async (_, isAdopted) => {
    const { worker, stream, verify, failing } = await poisonedLake();
    if (isAdopted) await worker.adopt();
    await worker.stage();
    const mended = await verify();
    expect(codes(mended)).toEqual([]);
    expect(mended.ledger).toMatchObject({ received: 22, written: 17, duplicate: 1, quarantined: 4 });
    expect(codes(await verify({ engine: failing(worker.engine) }))).toEqual([]);
    // They hide nothing: a record in place of one that is there is found as ever.
    stream.records[3]!.body = new TextEncoder().encode(event(99));
    expect(codes(await verify())).toEqual(['stream.missing']);
  });
});

describe('days that were dropped from raw on purpose', () => {
  /** 2026-01-15, on which all events of `events` were created. */
  const DAY = 20_468;

  async function dropDay({ lake }: Worker, beforeDay: number): Promise<void> {
    const raw = await loaded(lake, RAW_NAME);
    const files = (await lake.files(raw)).files.filter(({ partition }) => partition[0] === DAY);
    const removed = files.reduce((sum, file) => sum + file.recordCount, 0);
    const outcome = await lake.commit(raw, {
      commitId: crypto.randomUUID(),
      operation: 'overwrite',
      manifests: [],
      remove: files,
      stage: (base, attempt) =>
        advance(base, attempt, {
          writer: 'retention',
          tally: { removed },
          dropped: { why: 'old', beforeDay },
        }),
    });
    expect(outcome.kind).toBe('committed');
  }

  const later = (n: number) => event(n, { created_at: Date.UTC(2026, 0, 16) / 1000 });

  it('are no finding: staging has them, and they are in the ledger', async () => {
    const { worker, stream, verify } = await cleanLake();
    stream.put([later(20), later(1)]);
    await worker.process();
    await worker.stage();
    await dropDay(worker, DAY + 1);
    const verified = await verify();
    expect(verified.findings).toEqual([]);
    expect(verified).toMatchObject({ events: 11, ledger: { removed: 10 } });
  });

  it('hide nothing about the days that raw still has', async () => {
    const { worker, stream, verify } = await cleanLake();
    stream.put([later(20)]);
    await worker.process();
    await worker.stage();
    await dropDay(worker, DAY + 1);
    const staged = await filesOf(worker, STAGING_NAME);
    const kept = staged.find(({ file }) => file.partition[0] === DAY + 1)!;
    await rewrite(kept.path, (held) => `select * replace ('x' as event_uuid) from ${held}`);
    expect(codes(await verify())).toEqual(expect.arrayContaining(['staging.missing', 'staging.extra']));
  });

  it('are a finding where nobody said that they may go', async () => {
    const { worker, verify } = await cleanLake();
    await dropDay(worker, DAY);
    expect(codes(await verify())).toEqual(expect.arrayContaining(['staging.extra', 'stream.missing']));
  });
});

describe('the stream', () => {
  it('that holds an event which raw lacks is found', async () => {
    const { stream, verify } = await cleanLake();
    // As if raw had skipped it: a record in the middle of what was taken.
    stream.records[3]!.body = new TextEncoder().encode(event(99));
    const verified = await verify();
    expect(codes(verified)).toEqual(['stream.missing']);
    expect(finding(verified, 'stream.missing')).toMatchObject({ expected: '0', found: '1' });
  });

  it('that holds a record more than was received is found', async () => {
    const { stream, verify } = await cleanLake();
    const [one] = stream.records;
    const records = stream.records as StreamRecord[];
    records.unshift({ ...one!, sequenceNumber: one!.sequenceNumber - 1n });
    expect(codes(await verify())).toEqual(['stream.received']);
  });

  it('is read in spools that are all removed, and a stop is no finding', async () => {
    const { stream, verify } = await cleanLake();
    const stop = new AbortController();
    const onProgress = (text: string) => {
      if (text.includes('stream')) stop.abort();
    };
    await expect(verify({ signal: stop.signal, onProgress })).rejects.toEqual(
      expect.objectContaining({ name: 'Failure', code: 'verify.interrupted' }),
    );
    expect(stream.spoolsOpen).toBe(0);
  });

  it('leaves no spool behind where the engine fails on one', async () => {
    const { worker, stream, verify } = await cleanLake();
    const failure = new Failure('judging failed', { code: 'engine.memory', fault: 'user' });
    const { engine } = failingEngine(worker.engine, { marker: '', at: 'judge', failure });
    await expect(verify({ engine })).rejects.toBe(failure);
    expect(stream.spoolsOpen).toBe(0);
  });
});

/** Commits rows of staging that it holds already, with a ledger that agrees. */
async function commitTwice({ lake, engine }: Worker, number: number): Promise<void> {
  const raw = await loaded(lake, RAW_NAME);
  const { files } = await lake.files(raw);
  await using batch = await engine.readRaw(
    files.map((file) => ({
      ...file,
      sequenceNumber: file.sequenceNumber!,
      rows: file.recordCount,
    })),
  );
  const others = Int32Array.from({ length: batch.rows }, (_, i) => i).filter((row) => row !== number);
  const staging = await loaded(lake, STAGING_NAME);
  const stored = await storeFiles(lake, { table: staging, files: await batch.writeSorted(others) });
  const outcome = await lake.commit(staging, {
    commitId: crypto.randomUUID(),
    operation: 'append',
    manifests: await lake.prepare(staging, stored),
    stage: (base, attempt) =>
      advance(base, attempt, { writer: 'somebody', tally: { received: 1, written: 1 } }),
  });
  expect(outcome.kind).toBe('committed');
}
