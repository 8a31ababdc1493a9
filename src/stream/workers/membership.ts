/**
 * Which workers share a stream, and which shards are this one's. Each writes a heartbeat three times a lease; one that
 * was not seen to change for a lease is taken for dead. How long that is, each measures by a clock of its own that is
 * never set, so that clocks need not agree; only how old a heartbeat is that it sees for the first time it takes from
 * the store's clock, beside its own heartbeat, written a moment before.
 *
 * No correctness hangs on any of this. Two workers that both read a shard do the same work: positions are compared and
 * swapped by raw's commit, and the second is refused.
 *
 * A shard changes hands without work done twice: its new owner begins once the old one, if it lives, says no more that it
 * reads it, which it does when what it took is committed.
 */
import { type Clock, Failure, type Log, Turns } from '../../base/base.ts';
import { type Heartbeat, Heartbeats } from './heartbeats.ts';
import { ownerOf } from './rendezvous.ts';
import type { Share, Workers, WorkersOptions } from './workers.ts';

const RENEWALS_A_LEASE = 3;
/** While a shard waits for its old owner. */
const LOOKS_A_LEASE = 15;
const REMOVED_AFTER_MS = 3_600_000;

interface Heard {
  heartbeat: Heartbeat | undefined;
  etag: string;
  modifiedAt_ms: number;
  /** When it was last seen to have changed, by our own clock. */
  heard_ms: number;
  /** As it was at that look: what ended since may have taken its leave, which the next look tells. */
  over: boolean;
}

export class Membership implements Workers {
  readonly #options: WorkersOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #heartbeats: Heartbeats;
  /** Others than ourselves, dead ones too. */
  #heard = new Map<string, Heard>();
  /** Others that live and read this stream, by the last look. */
  #peers = new Map<string, Heartbeat>();
  #writers = 1;
  #owners = new Map<string, boolean>();
  #stream: string | undefined;
  #renewed_ms = Number.NEGATIVE_INFINITY;
  #lost = false;
  #share: CurrentShare | undefined;
  /** The last heartbeat does not say what is read now. */
  #dirty = false;
  readonly #turns = new Turns();
  #guard = new AbortController();
  #wake = new AbortController();
  #running: Promise<void> | undefined;
  #leaving = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log.child({ worker: options.self.id });
    this.#heartbeats = new Heartbeats(options.store);
  }

  get writers(): number {
    return this.#writers;
  }

  async share(stream: string): Promise<Share> {
    this.#share?.release();
    this.#stream = stream;
    await this.#inTurn();
    if (this.#running === undefined) {
      this.#log.info('workers.sharing', 'shares the shards of the stream', { others: this.#peers.size });
      this.#running = this.#run();
    }
    const share = new CurrentShare({
      mayBegin: (shard) => this.#mayBegin(shard),
      changed: () => {
        this.#dirty = true;
        this.#wake.abort();
      },
    });
    this.#share = share;
    return share;
  }

  async leave(): Promise<void> {
    if (this.#running === undefined) return;
    this.#leaving = true;
    this.#wake.abort();
    await this.#running;
    this.#guard.abort();
    try {
      await this.#heartbeats.remove([this.#options.self.id]);
    } catch (error) {
      // The others find out by its silence.
      this.#unreachable(error);
    }
  }

  async #run(): Promise<void> {
    const { random } = this.#options;
    while (!this.#leaving) {
      this.#wake = new AbortController();
      const pause_ms = this.#dirty ? 0 : this.#pause_ms() * (0.9 + random() / 10);
      await this.#clock.sleep(pause_ms, this.#wake.signal);
      if (!this.#leaving) await this.#inTurn().catch((error) => this.#unreachable(error));
    }
  }

  #pause_ms(): number {
    const waiting = this.#share?.shardsAsked().some(([shard, has]) => !has && this.#isOurs(shard)) ?? false;
    return this.#options.lease_ms / (waiting ? LOOKS_A_LEASE : RENEWALS_A_LEASE);
  }

  /** Renews, looks and decides; one after the other. */
  #inTurn(): Promise<void> {
    return this.#turns.take(async () => {
      // Woken after a long sleep it owns nothing, whatever it renews now.
      this.#decide();
      await this.#renew();
      await this.#look();
      this.#decide();
    });
  }

  async #renew(): Promise<void> {
    const { elapsed_ms, self, lease_ms } = this.#options;
    const { id, host, pid, machine = '' } = self;
    const began_ms = elapsed_ms();
    this.#dirty = false;
    const shards = this.#share?.shards ?? [];
    await this.#heartbeats.write(id, { stream: this.#stream ?? '', host, pid, machine, lease_ms, shards });
    this.#renewed_ms = began_ms;
    this.#lost = false;
    this.#guardLease();
  }

  /** A store that does not answer must not keep us from noticing that the lease is over. */
  #guardLease(): void {
    this.#guard.abort();
    const guard = new AbortController();
    this.#guard = guard;
    void this.#clock.sleep(this.#options.lease_ms, guard.signal).then(() => {
      if (!guard.signal.aborted) this.#decide();
    });
  }

  async #look(): Promise<void> {
    const { elapsed_ms, self } = this.#options;
    const listed = await this.#heartbeats.list();
    const own = listed.get(self.id);
    listed.delete(self.id);
    const now_ms = elapsed_ms();
    const heard = new Map<string, Heard>();
    const stale: string[] = [];
    for (const [worker, { etag, modifiedAt_ms }] of listed) {
      const known = this.#heard.get(worker);
      const isSame = known?.etag === etag;
      const age_ms = own === undefined ? 0 : Math.max(0, own.modifiedAt_ms - modifiedAt_ms);
      const heartbeat = isSame ? known.heartbeat : await this.#heartbeats.read(worker);
      const changed = !isSame || known.modifiedAt_ms !== modifiedAt_ms;
      const heard_ms = known === undefined ? now_ms - age_ms : changed ? now_ms : known.heard_ms;
      const over = heartbeat !== undefined && this.#isOver(heartbeat);
      heard.set(worker, { heartbeat, etag, modifiedAt_ms, heard_ms, over });
      if (age_ms > REMOVED_AFTER_MS || over) stale.push(worker);
    }
    this.#heard = heard;
    if (stale.length > 0) await this.#heartbeats.remove(stale);
  }

  /** A process of this machine that is gone needs no lease to be over. */
  #isOver({ machine, pid }: Heartbeat): boolean {
    const { self, isAlive } = this.#options;
    return machine !== '' && machine === self.machine && (pid === self.pid || !isAlive(pid));
  }

  #decide(): void {
    this.#see();
    if (this.#renewed_ms !== Number.NEGATIVE_INFINITY && !this.#holdsLease() && !this.#lost) {
      this.#lost = true;
      const silent_s = Math.round((this.#options.elapsed_ms() - this.#renewed_ms) / 1000);
      this.#log.warn('workers.lease_lost', 'could not renew its lease in time; takes nothing until it has', {
        silent_s,
      });
    }
    if (this.#share?.review((shard) => this.#isOurs(shard))) {
      this.#log.info('workers.shards_moved', 'shards change hands; what was taken is committed first', {
        workers: this.#peers.size + 1,
      });
    }
    this.#options.onChange?.({
      workers: this.#peers.size + 1,
      shards: this.#share?.shards.length ?? 0,
    });
  }

  /** Who lives, by what was heard. */
  #see(): void {
    const { elapsed_ms, lease_ms } = this.#options;
    const silent_ms = (heard: Heard) => elapsed_ms() - heard.heard_ms;
    const peers = new Map<string, Heartbeat>();
    let writers = 1;
    for (const [worker, heard] of this.#heard) {
      const { heartbeat } = heard;
      if (heartbeat === undefined || silent_ms(heard) > lease_ms || heard.over) continue;
      writers++;
      if (heartbeat.stream === this.#stream) peers.set(worker, heartbeat);
    }
    const joined = [...peers.keys()].filter((worker) => !this.#peers.has(worker));
    const gone = [...this.#peers.keys()].filter((worker) => !peers.has(worker));
    if (joined.length + gone.length > 0) this.#owners.clear();
    if (this.#running !== undefined) this.#tell({ joined, gone });
    this.#peers = peers;
    this.#writers = writers;
  }

  #tell({ joined, gone }: { joined: readonly string[]; gone: readonly string[] }): void {
    for (const other of joined)
      this.#log.info('workers.joined', 'another worker shares the stream', { other });
    for (const other of gone) {
      const shards = this.#peers.get(other)?.shards.length ?? 0;
      if (this.#heard.has(other))
        this.#log.warn('workers.lost', 'a worker is silent; its shards are taken over', { other, shards });
      else this.#log.info('workers.left', 'a worker left; its shards are taken over', { other, shards });
    }
  }

  #holdsLease(): boolean {
    return this.#options.elapsed_ms() - this.#renewed_ms < this.#options.lease_ms;
  }

  /** By the hash alone. */
  #isOurs(shard: string): boolean {
    if (!this.#holdsLease()) return false;
    const { id } = this.#options.self;
    const known = this.#owners.get(shard);
    if (known !== undefined) return known;
    const ours = ownerOf(shard, [id, ...this.#peers.keys()]) === id;
    this.#owners.set(shard, ours);
    return ours;
  }

  #mayBegin(shard: string): boolean {
    return this.#isOurs(shard) && !this.#peers.values().some(({ shards }) => shards.includes(shard));
  }

  #unreachable(error: unknown): void {
    const [text, code, why] =
      error instanceof Failure
        ? [error.message, error.code, error.why]
        : [error instanceof Error ? error.message : String(error), undefined, undefined];
    this.#log.debug('workers.unreachable', text, { code, why });
  }
}

interface ShareParts {
  mayBegin: (shard: string) => boolean;
  changed: () => void;
}

/** The answers that were given; they hold until the share is over. */
class CurrentShare implements Share {
  readonly #parts: ShareParts;
  readonly #answers = new Map<string, boolean>();
  readonly #over = new AbortController();

  constructor(parts: ShareParts) {
    this.#parts = parts;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  get shards(): string[] {
    return this.shardsAsked()
      .filter(([, has]) => has)
      .map(([shard]) => shard);
  }

  shardsAsked(): [shard: string, has: boolean][] {
    return [...this.#answers];
  }

  owns(shard: string): boolean {
    const known = this.#answers.get(shard);
    if (known !== undefined) return known;
    const answer = !this.#over.signal.aborted && this.#parts.mayBegin(shard);
    this.#answers.set(shard, answer);
    if (answer) this.#parts.changed();
    return answer;
  }

  /** True when it is over by this. What it has it keeps while the hash says so, whoever else reads it too. */
  review(isOurs: (shard: string) => boolean): boolean {
    if (this.#over.signal.aborted) return false;
    const same = this.shardsAsked().every(([shard, has]) =>
      has ? isOurs(shard) : !this.#parts.mayBegin(shard),
    );
    if (!same) this.#over.abort();
    return !same;
  }

  release(): void {
    this.#over.abort();
    if (this.shards.length > 0) this.#parts.changed();
    this.#answers.clear();
  }
}
