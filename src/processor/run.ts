import { backoff, Failure } from '../base/base.ts';
import type { Table } from '../lake/lake.ts';
import {
  BatchMarks,
  type ExpiredRange,
  type Position,
  type Share,
  type SharedTaking,
  type Spool,
  type StreamDescription,
  type Taking,
} from '../stream/stream.ts';
import {
  advance,
  type Expired,
  type Judged,
  openTable,
  PIN,
  QUARANTINE,
  QUARANTINE_NAME,
  RAW,
  RAW_NAME,
  tableState,
} from '../tables/tables.ts';
import { type PreparedBatch, prepareBatch } from './batch.ts';
import { CrashCount } from './crash-count.ts';
import { nextSpool } from './next-spool.ts';
import { Pace } from './pace.ts';
import type { ProcessorOptions, SharedWork } from './processor.ts';
import { windowOver } from './rebuild.ts';
import type { Window } from './window.ts';

/** One is judged while another is written, made durable and committed. A third takes its time from staging's. */
const BATCHES_IN_FLIGHT = 2;

/**
 * A session reads from where the table stands and ends when the table moved under it (another worker that took of the
 * same shards, a rollback) or a commit's fate is unknown: then everything judged is discarded and the next session
 * starts from the table. Others' commits about other shards do not disturb it.
 */
export async function runProcessor(options: ProcessorOptions): Promise<{ commits: number }> {
  try {
    return await runSessions(options);
  } finally {
    await options.sharing?.workers.leave();
  }
}

/** What outlives a session. */
interface Lasting {
  crashes: CrashCount;
  pace: Pace;
  /** This process among all that ever read the stream. */
  life: string;
}

async function runSessions(options: ProcessorOptions): Promise<{ commits: number }> {
  const { clock, random } = options;
  let commits = 0;
  let told = false;
  const pace = new Pace({ clock, random, spacing_ms: () => spacing_ms(options) });
  const lasting: Lasting = { crashes: new CrashCount(), pace, life: options.newId() };
  for (let attempt = 0; ; attempt++) {
    let session: Session | undefined;
    try {
      // Asked again every time: a stream that was re-created under its name is another one, with its own positions.
      const stream = await options.stream.describe();
      session = new Session(options, stream, lasting);
      await session.begin();
      // Once: in an outage a session begins and ends again and again.
      if (!told) options.log.info('processor.reading', 'reading the stream', { stream: stream.name });
      told = true;
      await session.run();
      return { commits: commits + session.commits };
    } catch (error) {
      commits += session?.commits ?? 0;
      if (session !== undefined && session.commits > 0) attempt = 0;
      if (!mayPass(error, told && options.until_ms === undefined)) throw error;
      options.onRetry?.(error);
      options.log.debug('processor.session_restarted', error.message, { code: error.code, why: error.why });
      const wait = backoff(attempt, { first_ms: 50, most_ms: 60_000, random });
      await clock.sleep(wait, options.signal);
      if (options.signal.aborted) return { commits };
    }
  }
}

/** Who deletes a stream that is being read, and creates it again, need not look after whoever reads it. */
function mayPass(error: unknown, awaitsStream: boolean): error is Failure {
  if (!(error instanceof Failure)) return false;
  return error.retry !== 'never' || (awaitsStream && error.code === 'stream.not_found');
}

class Session {
  commits = 0;
  readonly #options: ProcessorOptions;
  readonly #stream: StreamDescription;
  readonly #crashes: CrashCount;
  readonly #pace: Pace;
  readonly #marks: BatchMarks;
  #raw!: Table;
  #quarantine!: Table;
  #window!: Window;
  #adoptedUpTo = -1;

  constructor(options: ProcessorOptions, stream: StreamDescription, { crashes, pace, life }: Lasting) {
    this.#options = options;
    this.#stream = stream;
    this.#crashes = crashes;
    this.#pace = pace;
    this.#marks = new BatchMarks(options.lake.store, { stream: stream.id, id: life });
  }

  /** The tables as they stand, and the window over them. */
  async begin(): Promise<void> {
    const { lake, writer, newId } = this.#options;
    this.#quarantine = await openTable(lake, QUARANTINE_NAME, { definition: QUARANTINE, writer, newId });
    this.#raw = await openTable(lake, RAW_NAME, { definition: RAW, writer, newId });
    this.#adoptedUpTo = await this.#options.adopt();
    await this.#pinStart();
    this.#window = await windowOver(this.#raw, this.#options);
  }

  /**
   * Takes, and when shards change hands takes anew: what was taken is committed, the window stays, and reading goes on
   * from where the table stands by then.
   */
  async run(): Promise<void> {
    const { sharing, signal } = this.#options;
    if (sharing === undefined) return this.#takeUntil(signal);
    for (;;) {
      const share = await sharing.workers.share(this.#stream.arn);
      try {
        this.#raw = await this.#newestRaw();
        await this.#takeUntil(AbortSignal.any([signal, share.over]), this.#shared(share, sharing));
        if (signal.aborted || !share.over.aborted) return;
      } finally {
        share.release();
      }
    }
  }

  async #takeUntil(over: AbortSignal, shared?: SharedTaking): Promise<void> {
    const taking = await this.#take(shared);
    try {
      await this.#process(taking, over);
    } catch (error) {
      await taking.abandon();
      throw error;
    } finally {
      await this.#marks.clear();
    }
  }

  #shared(share: Share, { every_ms }: SharedWork): SharedTaking {
    return {
      owns: (shard) => share.owns(shard),
      positions: async () => shardsOf(this.#positions(await this.#newestRaw())),
      every_ms,
    };
  }

  async #newestRaw(): Promise<Table> {
    const raw = await this.#options.lake.load(RAW_NAME);
    if (raw === undefined) throw moved('it is gone');
    return raw;
  }

  /** The first commit about a stream is empty and says where reading starts; a restart before any event repeats it. */
  async #pinStart(): Promise<void> {
    if (this.#positions()[PIN] !== undefined) return;
    const took = { [this.#stream.id]: { [PIN]: ['', await this.#start()] as const } };
    await this.#commit({ took, manifests: [] });
  }

  /** "Now" is the stream's clock once, written down before anything is read; never LATEST, which moves. */
  async #start(): Promise<string> {
    const { start, stream, log, clock } = this.#options;
    if (start === 'NOW') return `AT_TIMESTAMP:${await stream.serverTime()}`;
    const { retention_ms, createdAt_ms, name } = this.#stream;
    const oldest_ms = Math.max(clock.now() - retention_ms, createdAt_ms);
    if (start !== 'TRIM_HORIZON' && Number(start.slice('AT_TIMESTAMP:'.length)) < oldest_ms) {
      const oldest = new Date(oldest_ms).toISOString();
      log.warn(
        'processor.start_before_retention',
        'The start is before the oldest record that the stream can hold; reading begins there',
        { stream: name, start, oldest },
      );
    }
    return start;
  }

  #positions(raw = this.#raw): Readonly<Record<string, string>> {
    return tableState(raw).positions[this.#stream.id] ?? {};
  }

  #take(shared: SharedTaking | undefined): Promise<Taking> {
    const held = this.#positions();
    const options = this.#options;
    return options.stream.take({
      stream: this.#stream,
      positions: shardsOf(held),
      pin: held[PIN] as 'TRIM_HORIZON' | `AT_TIMESTAMP:${number}`,
      spoolFolder: options.spoolFolder,
      maxRows: options.maxRows,
      maxBytes: options.maxBytes,
      maxAge_ms: options.maxAge_ms,
      spacing_ms: () => spacing_ms(options),
      spoolsAhead: options.spoolsAhead,
      poll_ms: options.poll_ms,
      ...(options.answers_bytes !== undefined && { answers_bytes: options.answers_bytes }),
      ...(options.fanOut === undefined ? {} : { fanOut: options.fanOut }),
      ...(options.until_ms === undefined ? {} : { until_ms: options.until_ms }),
      ...(shared && { shared }),
      ...(options.onRead && { onRead: options.onRead }),
      ...(options.onReadFailed && { onRetry: options.onReadFailed }),
      signal: options.signal,
    });
  }

  /**
   * Batches are judged and written side by side; verdicts about repeats and commits happen one after the other, in the
   * order of the stream. A batch that fails takes all later ones with it.
   */
  async #process(taking: Taking, over: AbortSignal): Promise<void> {
    const line: Promise<void>[] = [];
    let verdicts: Promise<void> = Promise.resolve();
    let committing: Promise<void> = Promise.resolve();
    const begun = new Set<string>();
    // A stream that is quiet must not hide that what was taken last did not get through.
    const failed = new AbortController();
    const stop = () => void taking.stop();
    over.addEventListener('abort', stop, { once: true });
    if (over.aborted) stop();
    try {
      for (;;) {
        while (line.length >= BATCHES_IN_FLIGHT) await line.shift();
        const spool = await nextSpool(taking, failed.signal);
        if (spool === undefined) break;
        if (spool.ranges.size === 0) {
          await spool[Symbol.asyncDispose]();
          continue;
        }
        this.#options.onBatch?.();
        await this.#mark(spool, begun);
        const { verdict, prepared } = this.#prepare(spool, verdicts);
        verdicts = verdict;
        committing = this.#commitInTurn(prepared, committing);
        committing.catch((error) => failed.abort(error));
        line.push(committing);
      }
      await committing;
    } finally {
      over.removeEventListener('abort', stop);
      await Promise.allSettled(line);
    }
  }

  /**
   * Whoever begins where others died is to know of it before the engine sees the batch. A shard that others are always
   * ahead of is begun in a later batch than they are.
   */
  async #mark(spool: Spool, begun: Set<string>): Promise<void> {
    const begins = [...spool.ranges].filter(([shard]) => !begun.has(shard));
    if (begins.length === 0) return;
    for (const [shard] of begins) begun.add(shard);
    const from = Object.fromEntries(begins.map(([shard, range]) => [shard, known(range.from)]));
    const deaths = await this.#marks.set(from, this.#positions()).catch(async (error: unknown) => {
      await spool[Symbol.asyncDispose]();
      throw error;
    });
    if (deaths === 0) return;
    this.#crashes.died(deaths);
    this.#options.log.warn(
      'processor.died_in_batch',
      'Processes ended without a word with this batch in hand',
      {
        ...{ stream: this.#stream.name, deaths, shards: Object.keys(from).length },
        searched: this.#crashes.cornering,
      },
    );
  }

  #prepare(spool: Spool, turn: Promise<void>) {
    const at = { spool, window: this.#window, raw: this.#raw, quarantine: this.#quarantine };
    return prepareBatch(this.#options, at, { stream: this.#stream.id, crashes: this.#crashes, turn });
  }

  async #commitInTurn(prepared: Promise<PreparedBatch>, turn: Promise<void>): Promise<void> {
    // Where an earlier one failed too, that is what is told.
    await using batch = await prepared.catch(async (error: unknown) => {
      await turn;
      throw error;
    });
    await turn;
    await this.#pace.turn(this.#options.signal);
    await this.#commitBatch(batch);
  }

  async #commitBatch(batch: PreparedBatch): Promise<void> {
    const { onCommit, adopt } = this.#options;
    try {
      const took = { [this.#stream.id]: moves(batch.spool, this.#positions()) };
      const expired = batch.spool.expired.map((range) => expiredRange(range, this.#stream.id));
      const snapshot = await this.#commit({ ...batch, judged: this.#window.base, took, expired });
      this.#window.settle(batch.overlay, snapshot.id);
      this.#crashes.committed(batch.cornered);
      await this.#marks.clear(batch.spool.ranges.keys());
      onCommit?.({
        snapshot: snapshot.id,
        sequenceNumber: snapshot.sequenceNumber,
        tally: batch.tally,
        expired: batch.spool.expired,
        damaged: batch.spool.damaged,
        lastArrival_ms: batch.spool.lastArrival_ms,
        behindLatest_ms: batch.spool.behindLatest_ms,
        drained: batch.spool.drained,
        windowIds: this.#window.size,
      });
      if (batch.rejected !== undefined) this.#adoptedUpTo = await adopt();
    } catch (error) {
      this.#window.discard(batch.overlay);
      throw error;
    }
  }

  async #commit(
    change: Pick<PreparedBatch, 'manifests'> &
      Partial<Pick<PreparedBatch, 'tally' | 'types' | 'rejected' | 'preparedAt_ms'>> & {
        judged?: Judged;
        expired?: readonly Expired[];
        took: Record<string, Record<string, readonly [string, string]>>;
      },
  ): Promise<{ id: bigint; sequenceNumber: number }> {
    const { lake, writer, newId, clock } = this.#options;
    const outcome = await lake.commit(this.#raw, {
      commitId: newId(),
      operation: 'append',
      manifests: change.manifests,
      ...(change.preparedAt_ms !== undefined && { preparedAt_ms: change.preparedAt_ms }),
      stage: (base, attempt) =>
        advance(base, attempt, {
          writer,
          took: change.took,
          adoptedUpTo: this.#adoptedUpTo,
          ...(change.judged && { judged: change.judged }),
          ...(change.tally && { tally: change.tally }),
          ...(change.types && { types: change.types }),
          ...(change.expired && { expired: change.expired }),
          ...(change.rejected && { rejected: { ...change.rejected, committedAt_ms: clock.now() } }),
        }),
    });
    this.#raw = outcome.table;
    if (outcome.kind !== 'committed') throw moved(outcome.why);
    this.commits++;
    return { id: outcome.snapshot['snapshot-id'], sequenceNumber: outcome.snapshot['sequence-number'] };
  }
}

/** The least time between two commits of this writer: none for one that is alone. */
function spacing_ms({ sharing }: ProcessorOptions): number {
  const writers = sharing?.workers.writers ?? 1;
  return sharing === undefined || writers === 1 ? 0 : writers * sharing.spacing_ms;
}

function shardsOf({ [PIN]: _, ...shards }: Readonly<Record<string, string>>): Map<string, Position> {
  return new Map(Object.entries(shards) as [string, Position][]);
}

/** Where the batch moved each shard; the position of one that needs none any longer goes. */
function moves(
  { ranges, forgotten }: Spool,
  held: Readonly<Record<string, string>>,
): Record<string, readonly [from: string, to: string]> {
  const moved = [...ranges]
    .map(([shard, { from, to }]) => [shard, [known(from), known(to)] as const] as const)
    .filter(([, [, to]]) => to !== '');
  // One that came to its end in this very batch goes in a later one.
  const gone = forgotten
    .filter((shard) => !ranges.has(shard) && held[shard] !== undefined)
    .map((shard) => [shard, [held[shard]!, ''] as const] as const);
  return Object.fromEntries([...moved, ...gone]);
}

function expiredRange({ shard, from, to, since_ms, until_ms }: ExpiredRange, stream: string): Expired {
  const times = { ...(since_ms !== undefined && { since_ms }), ...(until_ms !== undefined && { until_ms }) };
  return { stream, shard, from, to, ...times };
}

/** A position before the first record stands for a shard that the table does not know. */
const known = (from: Position): string => (/^(\d|end$|passed$)/.test(from) ? from : '');

function moved(why: string): Failure {
  return new Failure('raw.events moved on; reading again from where it stands', {
    code: 'processor.table_moved',
    fault: 'service',
    retry: 'refresh',
    why,
  });
}
