/**
 * Whether all is well, told from what roles say of their work and how the lake and the stream answered. Pure: time
 * comes in with every question. A failure that a retry mends within seconds is none here; one that lasts is told
 * with why and since when, until something succeeds where it failed.
 *
 * Live says whether a restart would help, ready whether the work gets through. An outage of a service is never a
 * reason to restart: it would only make a crash loop of it.
 */
import type { Failure } from '../base/base.ts';
import type { Finding } from './findings.ts';

export type Service = 'stream' | 'catalog' | 'store';

export interface Reason {
  /** Of the failure or the finding. */
  code: string;
  what: string;
  why: string;
  fix: string;
  /** Unix milliseconds. */
  since_ms: number;
  /** In a row, without a success between them. */
  failures: number;
}

export interface Health {
  status: 'starting' | 'ok' | 'degraded' | 'stopping';
  /** False when a restart would help: work in hand has not moved for long. */
  live: boolean;
  reasons: readonly Reason[];
  /** When each service that the roles need was last reached; null: not yet. */
  reached: Readonly<Partial<Record<Service, number | null>>>;
}

/** What the lake cannot tell while nobody reaches it. */
export interface Progressed {
  /** Of the shard that is furthest behind, as it was last read; null when none was lately. */
  lag_ms: number | null;
  /** By table: when this process last committed to it. */
  lastCommits_ms: Readonly<Record<string, number>>;
}

/** A restart, a throttle, a lost connection: retried and mended before anybody could read about it. */
const LASTING_MS = 10_000;
const LASTING_FAILURES = 2;
/** Everything is asked for every few seconds; an answer that does not come is no failure and no success. */
const SILENT_MS = 300_000;
/** Longer than any one step: a batch is bounded by commit.maxRows and commit.maxBytes. */
const STALLED_MS = 1_800_000;

/** Tries come at most a minute apart. A worker that has nothing to do has no success to show for it. */
const OVER_MS = 300_000;
/** A shard that fails is asked again within ten seconds, and an answer is waited for no longer than thirty. */
const MOVED_MS = 60_000;

interface Streak {
  since_ms: number;
  last_ms: number;
  failures: number;
  last: Failure;
}

interface RoleState {
  streak?: Streak | undefined;
  inHand: number;
  moved_ms: number;
}

export class HealthBook {
  readonly #roles = new Map<string, RoleState>();
  readonly #streaks = new Map<Service, Streak>();
  /** One may fail for hours while the stream answers for all others. */
  readonly #shards = new Map<string, Streak>();
  readonly #reached = new Map<Service, number | null>();
  #findings: readonly Finding[] = [];
  #found_ms = new Map<string, number>();
  #stopping = false;

  constructor(needed: Iterable<Service>) {
    for (const service of needed) this.#reached.set(service, null);
  }

  /** The role has something in hand, until it ends. */
  began(role: string, now_ms: number): void {
    const state = this.#role(role, now_ms);
    state.inHand++;
    state.moved_ms = now_ms;
  }

  /** One thing in hand is done. */
  ended(role: string, now_ms: number): void {
    const state = this.#role(role, now_ms);
    state.inHand = Math.max(0, state.inHand - 1);
    this.succeeded(role, now_ms);
  }

  succeeded(role: string, now_ms: number): void {
    const state = this.#role(role, now_ms);
    state.streak = undefined;
    state.moved_ms = now_ms;
  }

  /** What the role had in hand is given back. */
  failed(role: string, failure: Failure, now_ms: number): void {
    const state = this.#role(role, now_ms);
    state.inHand = 0;
    state.moved_ms = now_ms;
    state.streak = longer(state.streak, failure, now_ms);
    this.unreached(failure, now_ms);
  }

  hasInHand(role: string): boolean {
    return (this.#roles.get(role)?.inHand ?? 0) > 0;
  }

  reached(service: Service, now_ms: number): void {
    this.#reached.set(service, now_ms);
    this.#streaks.delete(service);
  }

  unreached(failure: Failure, now_ms: number): void {
    const service = serviceOf(failure.code);
    if (service !== undefined)
      this.#streaks.set(service, longer(this.#streaks.get(service), failure, now_ms));
  }

  shardAnswered(shard: string): void {
    this.#shards.delete(shard);
  }

  shardFailed(shard: string, failure: Failure, now_ms: number): void {
    this.#shards.set(shard, longer(this.#shards.get(shard), failure, now_ms));
  }

  /** What a look at the lake and the stream found; replaces what the last one found. */
  found(findings: readonly Finding[], now_ms: number): void {
    this.#findings = findings.filter(({ severity }) => severity === 'degraded');
    const since = new Map<string, number>();
    for (const { code } of this.#findings) since.set(code, this.#found_ms.get(code) ?? now_ms);
    this.#found_ms = since;
  }

  stopping(): void {
    this.#stopping = true;
  }

  at(now_ms: number): Health {
    const reasons = this.#reasons(now_ms);
    const starting = this.#reached.values().some((reached) => reached === null);
    return {
      status: this.#stopping ? 'stopping' : reasons.length > 0 ? 'degraded' : starting ? 'starting' : 'ok',
      live: !reasons.some(({ code }) => code === STALLED),
      reasons,
      reached: Object.fromEntries(this.#reached),
    };
  }

  #reasons(now_ms: number): Reason[] {
    const services = this.#streaks.entries().map(([service, streak]) => ofStreak(service, streak));
    const roles = this.#roles
      .entries()
      .flatMap(([role, { streak }]) =>
        streak === undefined || now_ms - streak.last_ms >= OVER_MS ? [] : [ofStreak(role, streak)],
      );
    // Of one that another worker reads by now nothing more is heard here.
    const shards = this.#shards
      .entries()
      .flatMap(([shard, streak]) => (now_ms - streak.last_ms >= MOVED_MS ? [] : [ofStreak(shard, streak)]));
    const lasting = [...services, ...roles, ...shards]
      .filter((r) => r.failures >= LASTING_FAILURES && now_ms - r.since_ms >= LASTING_MS)
      .sort((a, b) => a.since_ms - b.since_ms);
    return [
      // One outage is one reason, whoever meets it.
      ...lasting.filter((reason, i) => lasting.findIndex(({ code }) => code === reason.code) === i),
      ...this.#silent(now_ms),
      ...this.#stalled(now_ms),
      ...this.#findings.map((finding) => ({
        ...finding,
        since_ms: this.#found_ms.get(finding.code) ?? now_ms,
        failures: 0,
      })),
    ];
  }

  #silent(now_ms: number): Reason[] {
    return [...this.#reached].flatMap(([service, reached_ms]) =>
      reached_ms === null || now_ms - reached_ms < SILENT_MS || this.#streaks.has(service)
        ? []
        : [
            {
              code: 'monitor.silent',
              what: `the ${service} was not reached lately`,
              why: 'requests to it neither succeed nor fail',
              fix: 'look at the network between here and there',
              since_ms: reached_ms,
              failures: 0,
            },
          ],
    );
  }

  #stalled(now_ms: number): Reason[] {
    return [...this.#roles].flatMap(([role, { inHand, moved_ms }]) =>
      inHand === 0 || now_ms - moved_ms < STALLED_MS
        ? []
        : [
            {
              code: STALLED,
              what: `the role ${role} does not get on`,
              why: 'what it has in hand has not moved for half an hour',
              fix: 'restart it: nothing is lost and nothing done twice; and please report it with the log',
              since_ms: moved_ms,
              failures: 0,
            },
          ],
    );
  }

  #role(role: string, now_ms: number): RoleState {
    const state = this.#roles.get(role) ?? { inHand: 0, moved_ms: now_ms };
    this.#roles.set(role, state);
    return state;
  }
}

const STALLED = 'monitor.stalled';

function longer(streak: Streak | undefined, failure: Failure, now_ms: number): Streak {
  return streak === undefined || now_ms - streak.last_ms >= OVER_MS
    ? { since_ms: now_ms, last_ms: now_ms, failures: 1, last: failure }
    : { ...streak, last_ms: now_ms, failures: streak.failures + 1, last: failure };
}

function ofStreak(who: string, { since_ms, failures, last }: Streak): Reason {
  return {
    code: last.code,
    what: `${who}: ${last.message}`,
    why: last.why ?? 'no more is known',
    fix: last.hint ?? 'nothing: it is tried again until it works',
    since_ms,
    failures,
  };
}

/** Whose answer it was; a full disk and our own faults are nobody's. */
function serviceOf(code: string): Service | undefined {
  if (code === 'stream.spool_failed') return undefined;
  if (/^(stream|kinesis)\./.test(code)) return 'stream';
  if (code.startsWith('catalog.')) return 'catalog';
  return code.startsWith('object_store.') ? 'store' : undefined;
}
