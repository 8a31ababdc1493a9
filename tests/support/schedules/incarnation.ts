/**
 * One life of a process. All that it asks of store, catalog, engine, stream and clock goes through here: there a fault
 * of the schedule meets it, and from its death on nothing that it asks for has an effect, or an answer.
 */
import { type Clock, Failure } from '../../../src/base/base.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { PointerCatalog } from '../../../src/lake/lake.ts';
import type { ObjectStore } from '../../../src/object-store/object-store.ts';
import type { Stream, Taking } from '../../../src/stream/stream.ts';
import type { Operation, What } from './schedule.ts';

/** No `Failure`: nobody handles it. */
class ProcessDied extends Error {}

export interface Fate {
  clock: Clock;
  /** What happens at this operation, if anything; it was counted. */
  at(operation: Operation): What | undefined;
  /** What the world does by itself: operators, reshards, other processes. */
  happen(what: What): Promise<void>;
  /** A request that is under way when its sender has given up. */
  late(send: () => Promise<unknown>): void;
  /** What is late arrives. */
  arrive(): Promise<void>;
}

const SHORT_MS = 9_000;
/** Whoever gets no answer does not know whether it is done. */
const CONDITIONAL = new Set<Operation>(['commit', 'catalog.create', 'store.writeIfAbsent']);
const BATCHES = new Set(['judge', 'readRaw', 'readRejected']);
const OF_A_BATCH = new Set(['identities', 'writeEvents', 'writeRejected', 'repeated', 'writeSorted']);

const AGAIN = ['unreachable', 'backoff'] as const;

type Port = 'catalog' | 'object_store';
const portOf = (operation: Operation): Port => (operation.startsWith('catalog') ? 'catalog' : 'object_store');

export class Incarnation {
  readonly #fate: Fate;
  #dead = false;
  #ahead_ms = 0;

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  get dead(): boolean {
    return this.#dead;
  }

  readonly clock: Clock = {
    now: () => this.#fate.clock.now() + this.#ahead_ms,
    sleep: (ms, signal) => this.#call('clock.sleep', () => this.#fate.clock.sleep(ms, signal)),
  };

  store(inner: ObjectStore): ObjectStore {
    return {
      root: inner.root,
      localPath: (location) => inner.localPath(location),
      read: (location, range) => this.#call('store.read', () => inner.read(location, range)),
      head: (location) => this.#alive(() => inner.head(location)),
      write: (location, bytes) => this.#call('store.write', () => inner.write(location, bytes)),
      writeIfAbsent: (location, bytes) =>
        this.#call('store.writeIfAbsent', () => inner.writeIfAbsent(location, bytes)),
      writeIfMatch: (location, bytes, etag) =>
        this.#call('commit', () => inner.writeIfMatch(location, bytes, etag), 'object_store'),
      moveIn: (files) => this.#call('store.moveIn', () => inner.moveIn(files)),
      list: (prefix) => inner.list(prefix),
      delete: (locations) => this.#call('store.delete', () => inner.delete(locations)),
    };
  }

  catalog(inner: PointerCatalog): PointerCatalog {
    return {
      load: (name) => this.#call('catalog.load', () => inner.load(name)),
      list: () => this.#alive(() => inner.list()),
      create: (name, location) => this.#call('catalog.create', () => inner.create(name, location)),
      swap: (name, move) => this.#call('commit', () => inner.swap(name, move), 'catalog'),
      close: async () => {},
    };
  }

  engine(inner: Engine): Engine {
    return this.#guarded(inner, (method, act) =>
      BATCHES.has(method)
        ? async () => this.#batch((await this.#call(`engine.${method}` as Operation, act)) as object)
        : act,
    );
  }

  stream(inner: Stream): Stream {
    return {
      ensure: (shards) => inner.ensure(shards),
      shards: () => inner.shards(),
      send: (records, options) => inner.send(records, options),
      lag: (options) => inner.lag(options),
      close: () => inner.close(),
      serverTime: () => this.#alive(() => inner.serverTime()),
      describe: () => this.#call('stream.describe', () => inner.describe()),
      take: async (options) => {
        const taking = await this.#call('stream.take', () => inner.take(options));
        const next: Taking['next'] = () => this.#call('stream.next', () => taking.next());
        return { next, stop: () => taking.stop(), abandon: () => taking.abandon() };
      },
    };
  }

  #batch<T extends object>(inner: T): T {
    return this.#guarded(inner, (method, act) =>
      OF_A_BATCH.has(method) ? () => this.#call(`batch.${method}` as Operation, act) : act,
    );
  }

  /** Letting go of things goes through: what a dead process held is nobody's concern, and must not pile up here. */
  #guarded<T extends object>(
    inner: T,
    around: (method: string, act: () => Promise<unknown>) => () => Promise<unknown>,
  ): T {
    return new Proxy(inner, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => around(String(key), () => member.apply(target, args))();
      },
    });
  }

  #check(): void {
    if (this.#dead) throw new ProcessDied('this process is dead');
  }

  async #alive<T>(act: () => Promise<T>): Promise<T> {
    this.#check();
    const answer = await act();
    if (this.#dead) await letGo(answer);
    this.#check();
    return answer;
  }

  async #call<T>(operation: Operation, act: () => Promise<T>, port = portOf(operation)): Promise<T> {
    this.#check();
    const what = this.#fate.at(operation);
    if (CONDITIONAL.has(operation)) await this.#fate.arrive();
    if (what === undefined) return this.#alive(act);
    switch (what.kind) {
      case 'death before':
        this.#dead = true;
        break;
      case 'death after':
        await act().then(letGo, () => {});
        this.#dead = true;
        break;
      case 'answer lost':
        await act();
        this.#check();
        throw noAnswer(operation, port);
      case 'request lost':
        throw noAnswer(operation, port);
      case 'request late':
        this.#fate.late(act);
        throw noAnswer(operation, port);
      case 'sent twice':
        await act();
        break;
      case 'turned away':
        throw new Failure('it is overloaded', { code: `${port}.busy`, fault: 'service', retry: 'backoff' });
      case 'slow':
        for (let left = what.ms; left > 0 && !this.#dead; left -= SHORT_MS)
          await this.#fate.clock.sleep(Math.min(left, SHORT_MS));
        break;
      case 'clock jump':
        this.#ahead_ms += what.ms;
        break;
      default:
        await this.#fate.happen(what);
    }
    return this.#alive(act);
  }
}

/** What nobody heard of must not pile up in the engine and on the disk that all schedules share. */
async function letGo(answer: unknown): Promise<void> {
  if (typeof answer !== 'object' || answer === null) return;
  if ('abandon' in answer) await (answer as Taking).abandon();
  if (Symbol.asyncDispose in answer) await (answer as AsyncDisposable)[Symbol.asyncDispose]();
}

/** As the adapters say it: of a request that commits nobody knows what became of it, any other can be made again. */
function noAnswer(operation: Operation, port: Port): Failure {
  const [what, retry] = CONDITIONAL.has(operation) ? (['unknown', 'refresh'] as const) : AGAIN;
  return new Failure('no answer', {
    code: `${port}.${what}`,
    fault: 'service',
    retry,
    why: 'by the schedule',
  });
}
