/**
 * One deployment under one schedule of faults: the real stream client on an endpoint in memory, the real processor,
 * quarantine and staging with the real engine on real tables, and time that costs nothing. In the end the events that
 * the stream acknowledged are those in staging, each once, and every figure agrees with every other.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, silentLog } from '../../../src/base/base.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import {
  type Lake,
  openBucketCatalog,
  openLake,
  openMemoryCatalog,
  openSqliteCatalog,
  type PointerCatalog,
} from '../../../src/lake/lake.ts';
import { type ObjectStore, openDiskStore } from '../../../src/object-store/object-store.ts';
import { processStream } from '../../../src/processor/processor.ts';
import { adoptRejected } from '../../../src/quarantine/quarantine.ts';
import { openIdentityIndex, stageEvents } from '../../../src/staging/staging.ts';
import { openStream, type Stream } from '../../../src/stream/stream.ts';
import { type Expired, needsForgotten, RAW_NAME, tableState } from '../../../src/tables/tables.ts';
import { verifyLake } from '../../../src/verify/verify.ts';
import { type Audited, audit, WHOLE } from '../audit.ts';
import { setMain } from '../edited-table.ts';
import { event } from '../events.ts';
import { FakeKinesis, type Fault as StreamFault } from '../fake-kinesis.ts';
import { ramFolder } from '../ram-folder.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { type Fate, Incarnation } from './incarnation.ts';
import {
  ANYTHING,
  type Operation,
  type Pause,
  type Put,
  type Round,
  type Schedule,
  type STREAM_FAULTS,
  type What,
} from './schedule.ts';

export interface Outcome {
  /** Faults that happened, by kind; one whose operation never came did not. */
  injected: Record<string, number>;
  /** Distinct events that the stream acknowledged. */
  acknowledged: number;
  staged: number;
  lost: number;
  doubled: number;
  /** What is wrong; nothing, whatever the schedule. */
  findings: string[];
}

const STREAM = 'events';
const START_MS = Date.UTC(2026, 0, 16);
const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };
const RETENTION_MS = 25 * 3_600_000;
const STAGING_TRIES = 30;
const PROCESSES_MAX = 3;

const STREAM_SCRIPTS: Record<(typeof STREAM_FAULTS)[number], readonly StreamFault[]> = {
  throttled: Array.from({ length: 3 }, () => ({ error: 'ProvisionedThroughputExceededException' })),
  'iterator expired': [{ error: 'ExpiredIteratorException' }],
  'answer of the stream lost': [{ lost: true }],
  'answer cut': [{ cut: true }],
  'internal failure': [{ error: 'InternalFailure', status: 500 }],
  'repeated records': [{ limit: 2, overlap: 3 }],
};

/** The engine is shared by all schedules: opening one takes longer than most of them. */
export async function runSchedule(schedule: Schedule, engine: Engine): Promise<Outcome> {
  const folder = await ramFolder('schedule-');
  const world = await World.open(schedule, { folder, engine });
  try {
    for (const round of schedule.rounds) await world.round(round);
    return await world.settle();
  } finally {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of a record in the stream. */
interface Place {
  shard: string;
  number: number;
}

class World implements Fate {
  readonly clock = new VirtualClock({ now_ms: START_MS, running: true });
  readonly #schedule: Schedule;
  readonly #folder: string;
  readonly #engine: Engine;
  readonly #fake: FakeKinesis;
  readonly #store: ObjectStore;
  readonly #catalog: PointerCatalog;
  readonly #acknowledged: (Place & { body: Uint8Array })[] = [];
  /** So many of the oldest records of a shard are past retention. */
  readonly #expired = new Map<string, number>();
  readonly #injected: Record<string, number> = {};
  readonly #findings: string[] = [];
  #rawWasSetBack = false;
  #late: (() => Promise<unknown>)[] = [];
  #faults: Round['faults'] = [];
  #counts = new Map<Round['faults'][number]['at'], number>();
  #processes: Promise<void>[] = [];
  #lives = 0;
  #events = 0;

  private constructor(
    schedule: Schedule,
    parts: {
      folder: string;
      engine: Engine;
      fake: FakeKinesis;
      store: ObjectStore;
      catalog: PointerCatalog;
    },
  ) {
    this.#schedule = schedule;
    this.#folder = parts.folder;
    this.#engine = parts.engine;
    this.#fake = parts.fake;
    this.#store = parts.store;
    this.#catalog = parts.catalog;
  }

  static async open(schedule: Schedule, { folder, engine }: { folder: string; engine: Engine }) {
    const fake = await FakeKinesis.start();
    fake.now_ms = START_MS;
    fake.create(STREAM, schedule.shards);
    const store = openDiskStore({ root: join(folder, 'lake') });
    const clock = new VirtualClock({ now_ms: START_MS, running: true });
    const catalog = {
      sqlite: () => openSqliteCatalog({ path: join(folder, 'catalog.sqlite') }),
      memory: () => openMemoryCatalog(),
      bucket: () => openBucketCatalog({ store, clock, random: seededRandom(0) }),
    };
    await mkdir(folder, { recursive: true });
    return new World(schedule, { folder, engine, fake, store, catalog: await catalog[schedule.catalog]() });
  }

  async close(): Promise<void> {
    await this.#catalog.close();
    await this.#fake.stop();
  }

  /** Puts arrive, a process begins; the round is over when it, and those that took over, have ended or died. */
  async round({ puts, faults, before = [], after = [] }: Round): Promise<void> {
    this.#fake.now_ms += 60_000;
    for (const pause of before) await this.#pause(pause);
    for (const put of puts) this.#put(put);
    for (const pause of after) await this.#pause(pause);
    this.#faults = faults;
    this.#counts = new Map();
    this.#begin();
    for (let done = 0; done < this.#processes.length; done++) await this.#processes[done];
    this.#processes = [];
  }

  async settle(): Promise<Outcome> {
    await this.arrive();
    // Up to where records expired, the next one of their shard tells.
    const next =
      this.#expired.size === 0 ? [] : this.#openShards().map((_, shard) => ({ kind: 'new' as const, shard }));
    // One without a fault is enough: nobody has to lend a hand.
    await this.round({ puts: next, faults: [] });
    const lake = this.#calmLake();
    const audited: Audited = { lake, engine: this.#engine };
    const verified = await this.#verify(lake);
    const unread = this.#unread(verified.expired);
    const acknowledged = this.#acknowledged.filter((record) => !unread(record));
    const found = await audit(audited, { acknowledged });
    for (const [what, value] of Object.entries(found))
      if (JSON.stringify(value) !== JSON.stringify(WHOLE[what as keyof typeof WHOLE]))
        this.#findings.push(`${what}: ${JSON.stringify(value)}`);
    for (const { code, expected, found: held } of verified.findings)
      this.#findings.push(`verify ${code}: expected ${expected}, found ${held}`);
    const events = new Set(acknowledged.map(({ body }) => Buffer.from(body).toString()).filter(isEvent));
    const [lost, doubled] = [found.missing.length, found.doubled.length];
    return {
      ...{ injected: this.#injected, acknowledged: events.size, staged: events.size - lost },
      ...{ lost, doubled, findings: this.#findings },
    };
  }

  at(operation: Operation): What | undefined {
    const counted = new Map(
      ([operation, ANYTHING] as const).map((at) => [at, (this.#counts.get(at) ?? 0) + 1]),
    );
    for (const [at, count] of counted) this.#counts.set(at, count);
    const what = this.#faults.find(({ at, nth }) => counted.get(at) === nth)?.what;
    if (what !== undefined) this.#injected[what.kind] = (this.#injected[what.kind] ?? 0) + 1;
    return what;
  }

  async happen(what: What): Promise<void> {
    switch (what.kind) {
      case 'takeover':
        if (this.#processes.length < PROCESSES_MAX) this.#begin();
        return;
      case 'split':
      case 'merge':
        return this.#reshard(what);
      case 'rollback':
        return this.#rollBack(what);
      default:
        if (what.kind in STREAM_SCRIPTS)
          this.#fake.script('GetRecords', ...STREAM_SCRIPTS[what.kind as keyof typeof STREAM_SCRIPTS]);
    }
  }

  late(send: () => Promise<unknown>): void {
    this.#late.push(send);
  }

  async arrive(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    for (const send of late) await send().catch(() => {});
  }

  #openShards(): string[] {
    return this.#fake.openShards(STREAM);
  }

  #put({ kind, shard }: Put): void {
    const open = this.#openShards();
    const number = kind === 'repeat' ? Math.max(1, this.#events >> 1) : ++this.#events;
    // Types and days of several partitions.
    const day = { created_at: START_MS / 1000 - 86_400 * (number % 3) };
    const body = Buffer.from(kind === 'broken' ? `broken ${number}` : event(number, day));
    const id = open[shard % open.length]!;
    this.#fake.put(STREAM, id, { data: body });
    this.#acknowledged.push({ body, shard: id, number: this.#fake.contents(STREAM).get(id)!.length });
  }

  async #pause(pause: Pause): Promise<void> {
    this.#injected[pause.kind] = (this.#injected[pause.kind] ?? 0) + 1;
    return pause.kind === 'expiry' ? this.#expire(pause) : this.happen(pause);
  }

  /** Where nothing was taken yet there is no position, and nobody can tell that something is missing before it. */
  async #expire({ records }: { records: number }): Promise<void> {
    // Then staging may hold what raw can take no more.
    if (this.#rawWasSetBack) return;
    this.#fake.now_ms += RETENTION_MS;
    this.clock.advance(RETENTION_MS);
    const raw = await this.#calmLake().load(RAW_NAME);
    const [positions = {}] = raw === undefined ? [] : Object.values(tableState(raw).positions);
    for (const [shard, { length }] of this.#fake.contents(STREAM)) {
      const position = Number(positions[shard] ?? 'none');
      if (Number.isNaN(position)) continue;
      const count = Math.max(this.#expired.get(shard) ?? 0, Math.min(length, position + records));
      this.#expired.set(shard, count);
      this.#fake.trim(STREAM, shard, count);
    }
  }

  /** By the ranges that the lake tells; one that holds a record which is kept is a lie. */
  #unread(ranges: readonly Expired[]): (place: Place) => boolean {
    const within = ({ shard, number }: Place) =>
      ranges.some(
        (range) =>
          range.shard === shard &&
          number > Number(range.from) &&
          (range.to === 'end' || number < Number(range.to)),
      );
    for (const place of this.#acknowledged)
      if (within(place) && place.number > (this.#expired.get(place.shard) ?? 0))
        this.#findings.push(`said to have expired: ${place.shard} ${place.number}`);
    return within;
  }

  #reshard({ kind, shard }: { kind: 'split' | 'merge'; shard: number }): void {
    const open = this.#openShards();
    const first = shard % open.length;
    const second = (first + 1) % open.length;
    if (kind === 'split') this.#fake.reshard(STREAM, [open[first]!], 2);
    else if (first !== second) this.#fake.reshard(STREAM, [open[first]!, open[second]!], 1);
  }

  /** The table may change meanwhile: then the operator's tool refuses, and nothing happens. */
  async #rollBack({ table, back }: { table: string; back: number }): Promise<void> {
    // It would take again what is no longer there, and begin without a position where it has none.
    if (table === RAW_NAME && this.#expired.size > 0) return;
    this.#rawWasSetBack ||= table === RAW_NAME;
    const lake = this.#calmLake();
    const { metadata } = (await lake.load(table)) ?? {};
    const to = metadata?.snapshots.at(-1 - back)?.['snapshot-id'];
    if (to === undefined) return;
    await setMain({ lake, catalog: this.#catalog }, table, to).catch((error: Error) => {
      if (!/changed at the same time/.test(error.message)) throw error;
    });
  }

  #calmLake(): Lake {
    const { clock } = this;
    return openLake({
      ...{
        store: this.#store,
        catalog: this.#catalog,
        clock,
        log: silentLog,
        random: seededRandom(++this.#lives),
        needsForgotten,
      },
    });
  }

  #verify(lake: Lake) {
    const around = { lake, engine: this.#engine, log: silentLog, clock: this.clock, stream: undefined };
    const bounds = { limits: LIMITS, deep: false, spoolFolder: this.#folder, maxRows: 1_000, maxBytes: 1e9 };
    const { signal } = new AbortController();
    return verifyLake({ ...around, ...bounds, signal });
  }

  #begin(): void {
    const life = new Incarnation(this);
    const ended = this.#live(life, ++this.#lives).catch((error: unknown) => {
      if (life.dead) return;
      const code = error instanceof Failure ? `${error.code} (${error.why})` : (error as Error).stack;
      this.#findings.push(`a process ended by itself: ${code}`);
    });
    this.#processes.push(ended);
  }

  /** What `lakeward run --once` does, as far as the pipeline goes. */
  async #live(life: Incarnation, number: number): Promise<void> {
    const { clock } = life;
    const random = seededRandom(number);
    const spoolFolder = join(this.#folder, `spools-${number}`);
    await mkdir(spoolFolder);
    const stream = this.#openStream(life);
    const store = life.store(this.#store);
    const catalog =
      this.#schedule.catalog === 'bucket'
        ? await openBucketCatalog({ store: probed(store, this.#store), clock, random })
        : life.catalog(this.#catalog);
    const lake = openLake({ store, catalog, clock, log: silentLog, random, needsForgotten });
    const engine = life.engine(this.#engine);
    const newId = () => crypto.randomUUID();
    // Tight, so that some of the rows go into overflow files.
    const bounds = { filesMost: 2, typesMost: 100 };
    const around = { lake, engine, clock, log: silentLog, writer: `process ${number}`, newId, bounds };
    const index = openIdentityIndex({
      ...{ lake, engine, log: silentLog, newId, memory_ids: 5, filter_bytes: 1e6 },
      ...{ folder: join(this.#folder, 'identities'), spareFolder: join(this.#folder, `ids-${number}`) },
    });
    const adopt = () => adoptRejected(around);
    const { maxRows } = this.#schedule;
    const { signal } = new AbortController();
    const stage = () =>
      stageEvents({
        ...around,
        ...(this.#schedule.index && { index }),
        ...{ random, maxRows: 3 * maxRows, signal },
      });
    let staging: Promise<unknown> = Promise.resolve();
    try {
      await processStream({
        ...around,
        ...{ stream, spoolFolder, signal, random, start: 'TRIM_HORIZON', limits: LIMITS },
        adopt: async () => (await adopt()).upTo,
        onCommit: () => {
          staging = staging.then(() => retried(stage));
          staging.catch(() => {});
        },
        ...{ watermark_s: 3_600, maxIds: 100_000, maxRows, maxBytes: 1e9, maxAge_ms: 1_000 },
        ...{ spoolsAhead: 1, poll_ms: 10, until_ms: this.#fake.now_ms },
      });
      await staging;
      await retried(adopt);
      await retried(stage);
    } finally {
      await staging.catch(() => {});
      await index.close();
      await stream.close();
    }
  }

  #openStream(life: Incarnation): Stream {
    const inner = openStream({
      ...{ name: STREAM, endpoint: this.#fake.endpoint, region: 'us-east-1', log: silentLog },
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      ...{ clock: life.clock, random: () => 0.5 },
    });
    return life.stream(inner);
  }
}

/** As a role does: again from where the table stands, unless that cannot help. */
async function retried(action: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await action();
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never' || tries === STAGING_TRIES) throw error;
    }
  }
}

/** The probe of a store that keeps its word is no part of the schedule. */
function probed(store: ObjectStore, calm: ObjectStore): ObjectStore {
  const of = (location: string) => (location.includes('/probe-') ? calm : store);
  return {
    ...store,
    read: (location, range) => of(location).read(location, range),
    head: (location) => of(location).head(location),
    writeIfAbsent: (location, bytes) => of(location).writeIfAbsent(location, bytes),
    writeIfMatch: (location, bytes, etag) => of(location).writeIfMatch(location, bytes, etag),
    delete: (locations) => of(locations[0] ?? '').delete(locations),
  };
}

const isEvent = (body: string): boolean => body.startsWith('{');
