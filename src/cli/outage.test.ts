/**
 * An hour without the stream, the catalog, the store (a bucket, say), or room on the disk, in virtual time: nothing
 * ends, nothing grows, the log has one clear line a minute, health says what is wrong, and afterwards all is as if
 * nothing had been.
 */
import { expect, it } from 'vitest';
import { audit, WHOLE } from '../../tests/support/audit.ts';
import { events } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure, type Log, silentLog } from '../base/base.ts';
import { resolveSettings } from '../config/config.ts';
import { inPlace } from '../engine/engine.ts';
import type { PointerCatalog } from '../lake/lake.ts';
import type { ObjectStore } from '../object-store/object-store.ts';
import type { Stream, Taking } from '../stream/stream.ts';
import { ROLES as ALL_ROLES } from './commands/run.ts';
import { monitorOf } from './monitoring.ts';
import { runRoles } from './roles.ts';

type Outage = 'stream' | 'catalog' | 'store' | 'disk';

const FAILURES: Record<Outage, () => Failure> = {
  stream: () => away('stream.unreachable'),
  catalog: () => away('catalog.unreadable'),
  store: () => away('object_store.unreachable'),
  disk: () => away('object_store.full'),
};

function away(code: string): Failure {
  return new Failure('it does not work', { code, fault: 'service', retry: 'backoff', why: 'an outage' });
}

/** What fails while there is an outage of it. */
class World {
  outage: Outage | undefined;
  #begun = Promise.withResolvers<never>();

  begin(outage: Outage): void {
    this.outage = outage;
    this.#begun.promise.catch(() => {});
    if (outage === 'stream') this.#begun.reject(FAILURES.stream());
  }

  end(): void {
    this.outage = undefined;
    this.#begun = Promise.withResolvers<never>();
  }

  failIn(...outages: Outage[]): void {
    const { outage } = this;
    if (outage !== undefined && outages.includes(outage)) throw FAILURES[outage]();
  }

  stream(inner: ScriptedStream): Stream {
    return {
      ensure: () => inner.ensure(),
      shards: () => inner.shards(),
      serverTime: () => inner.serverTime(),
      send: (records) => inner.send(records),
      lag: (options) => inner.lag(options),
      close: () => inner.close(),
      describe: async () => {
        this.failIn('stream');
        return inner.describe();
      },
      take: async (options) => {
        this.failIn('stream');
        const taking = await inner.take(options);
        const next: Taking['next'] = async () => {
          this.failIn('stream');
          return Promise.race([taking.next(), this.#begun.promise]);
        };
        return { next, stop: () => taking.stop(), abandon: () => taking.abandon() };
      },
    };
  }

  catalog = (inner: PointerCatalog): PointerCatalog => ({
    ...inner,
    load: async (table) => {
      this.failIn('catalog');
      return inner.load(table);
    },
    swap: async (table, move) => {
      this.failIn('catalog');
      return inner.swap(table, move);
    },
  });

  store = (inner: ObjectStore): ObjectStore =>
    new Proxy(inner, {
      get: (store, key) => {
        const member: unknown = Reflect.get(store, key);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (key !== 'localPath') this.failIn('store');
          if (key === 'moveIn' || key === 'write') this.failIn('disk');
          return member.apply(store, args);
        };
      },
    });
}

const LIMIT = 20_000;
/** What is said of every try. */
const TRIES = ['processor.session_restarted', 'role.retrying'];

/** Maintenance sleeps on its own; what an outage does to it is a matter of its own tests. */
const ROLES = ALL_ROLES.filter((role) => role !== 'maintenance');

/** The two roles between their tries, and the look at the lake: time passes only while nobody works. */
async function allAsleep(clock: VirtualClock): Promise<void> {
  await turns(2);
  for (let turn = 0; clock.sleeping < 3; turn++) {
    if (turn > 100_000) throw new Error('somebody neither works nor sleeps');
    await turns(10);
  }
}

/** Work in other threads goes on while the event loop turns; virtual time must not run away from it. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

it.each(['stream', 'catalog', 'store', 'disk'] as const)(
  'an hour without: %s',
  async (outage) => {
    const world = new World();
    const stream = new ScriptedStream();
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream, wrapStore: world.store, wrapCatalog: world.catalog });
    const clock = new VirtualClock({ now_ms: Date.UTC(2026, 0, 16) });
    const { settings } = resolveSettings({ command: 'run', env: {}, cwd: folder });
    const lines: string[] = [];
    const line = (id: string) => lines.push(id);
    let tries = 0;
    const debug = (id: string) => {
      if (TRIES.includes(id)) tries++;
    };
    const log: Log = { ...silentLog, debug, info: line, warn: line, error: line };
    const around = { settings, clock, log, env: {} };
    const monitor = monitorOf({ ...around, roles: ROLES });
    const stop = new AbortController();
    let staged = 0;
    const running = runRoles(
      {
        ...around,
        ...{
          lake: { ...worker.lake, localFiles: inPlace() },
          engine: worker.engine,
          stream: world.stream(stream),
          roles: ROLES,
        },
        spoolFolder: worker.options().spoolFolder,
        monitor,
        onStaging: ({ written }) => {
          staged += written;
        },
      },
      { signal: stop.signal },
    );
    const until = async (reached: () => boolean) => {
      for (let turn = 0; !reached(); turn++) {
        if (turn > LIMIT) throw new Error('it does not come to that');
        clock.advance(20);
        await turns(50);
      }
    };

    stream.put(events(1, 2, 3));
    await until(() => staged === 3);
    await until(() => monitor.health().status === 'ok');
    world.begin(outage);
    stream.put(events(4, 5));
    await until(() => monitor.health().status === 'degraded');
    expect(monitor.health()).toMatchObject({
      live: true,
      reasons: [{ code: FAILURES[outage]().code, why: 'an outage' }],
    });

    const sleeping = clock.sleeping;
    const begun = lines.length;
    const begun_ms = clock.now();
    tries = 0;
    while (clock.now() - begun_ms < 3_600_000) {
      clock.advance(1_000);
      await allAsleep(clock);
    }
    const said = lines.slice(begun);
    expect(new Set(said)).toEqual(new Set(['health.degraded']));
    // While the engine is asked for its memory, in real time, the minutes go by.
    expect(said.length).toBeGreaterThan(40);
    expect(said.length).toBeLessThanOrEqual(61);
    // Each of the two roles that fail tries again once a minute, or every half one.
    expect(tries).toBeGreaterThan(30);
    expect(tries).toBeLessThan(300);
    expect(clock.sleeping).toBeLessThanOrEqual(sleeping + 3);
    expect(stream.spoolsOpen).toBeLessThanOrEqual(4);

    world.end();
    await until(() => staged === 5);
    await until(() => monitor.health().status === 'ok');
    await until(() => lines.at(-1) === 'health.recovered');
    stop.abort();
    await running;
    expect(await audit(worker, stream)).toEqual(WHOLE);
  },
  240_000,
);
