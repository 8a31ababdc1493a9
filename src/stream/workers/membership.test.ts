/** Workers over one memory store, on one virtual clock; each is a process of its own as far as they can see. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/support/virtual-clock.ts';
import { Failure, type Log, silentLog } from '../../base/base.ts';
import { type ObjectStore, openMemoryStore } from '../../object-store/object-store.ts';
import { openWorkers, type Share, type Workers, workersHeard } from '../stream.ts';

const ARN = 'arn:aws:kinesis:eu-west-1:000000000000:stream/events';
const LEASE_MS = 30_000;
const SHARDS = Array.from({ length: 24 }, (_, i) => `shardId-${i}`);

/** Time moves for all; a worker's own clock stands still while it is paused. */
class World {
  readonly clock = new VirtualClock();
  readonly store = openMemoryStore({ clock: this.clock });
  /** Writes, listings and reads of these workers fail. */
  readonly cut = new Set<string>();
  readonly logged: { worker: string; id: string }[] = [];
  alive: (pid: number) => boolean = () => true;
  #opened = 0;

  open(id: string, { machine, pid = ++this.#opened }: { machine?: string; pid?: number } = {}): Workers {
    return openWorkers({
      store: this.#storeOf(id),
      clock: this.clock,
      log: this.#logOf(id),
      random: () => 0.5,
      elapsed_ms: () => this.clock.now(),
      self: { id, host: 'host', pid, machine },
      lease_ms: LEASE_MS,
      isAlive: (process) => this.alive(process),
    });
  }

  /** Lets so much time pass, a second a step, with what everybody does in it. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.clock.advance(Math.min(1_000, ms - passed));
      await settle();
    }
  }

  ids(worker: string): string[] {
    return this.logged.filter((entry) => entry.worker === worker).map(({ id }) => id);
  }

  #storeOf(id: string): ObjectStore {
    const reach = () => {
      if (this.cut.has(id))
        throw new Failure('away', { code: 'object_store.unreachable', fault: 'service', retry: 'backoff' });
    };
    const { store } = this;
    return {
      ...store,
      async write(location, bytes) {
        reach();
        await store.write(location, bytes);
      },
      async *list(prefix) {
        reach();
        yield* store.list(prefix);
      },
    };
  }

  #logOf(worker: string): Log {
    const entry = (id: string) => void this.logged.push({ worker, id });
    const log: Log = { ...silentLog, info: entry, warn: entry, child: () => log };
    return log;
  }
}

/** Everything that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

const owned = (share: Share) => SHARDS.filter((shard) => share.owns(shard));

/** As a processor does it: a share that is over is given back and another one asked for. */
class Reader {
  readonly workers: Workers;
  share!: Share;
  shares = 0;

  constructor(workers: Workers) {
    this.workers = workers;
  }

  async begin(): Promise<this> {
    this.share = await this.workers.share(ARN);
    this.shares++;
    owned(this.share);
    await settle();
    return this;
  }

  async follow(): Promise<void> {
    if (!this.share.over.aborted) return;
    this.share.release();
    await this.begin();
  }

  get shards(): string[] {
    return owned(this.share);
  }
}

async function passAndFollow(world: World, ms: number, readers: readonly Reader[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await world.pass(1_000);
    for (const reader of readers) await reader.follow();
  }
}

/** Every shard is exactly one's. */
function expectShared(readers: readonly Reader[]): void {
  expect(readers.flatMap((reader) => reader.shards).sort()).toEqual([...SHARDS].sort());
}

describe('workers of one stream', () => {
  it('have everything alone, and share it once they hear of each other', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    expect(a.shards).toEqual(SHARDS);
    const b = await new Reader(world.open('b')).begin();
    // It begins with nothing: all is still read by the first.
    expect(b.shards).toEqual([]);
    await passAndFollow(world, 20_000, [a, b]);
    expectShared([a, b]);
    expect(a.shards.length).toBeGreaterThan(0);
    expect(b.shards.length).toBeGreaterThan(0);
    expect(world.ids('a')).toEqual(['workers.sharing', 'workers.joined', 'workers.shards_moved']);
  });

  it('begin with a shard only when the one that reads it lets go', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    const b = await new Reader(world.open('b')).begin();
    await world.pass(20_000);
    expect(a.share.over.aborted).toBe(true);
    await b.follow();
    expect(b.shards).toEqual([]);
    // Committed: now it lets go.
    a.share.release();
    await passAndFollow(world, 5_000, [b]);
    expect(b.shards.length).toBeGreaterThan(0);
  });

  it('take over at once what one that leaves had', async () => {
    const world = new World();
    const readers = await Promise.all(['a', 'b'].map((id) => new Reader(world.open(id)).begin()));
    await passAndFollow(world, 30_000, readers);
    const [a, b] = readers as [Reader, Reader];
    a.share.release();
    await a.workers.leave();
    await passAndFollow(world, LEASE_MS / 3, [b]);
    expect(b.shards).toEqual(SHARDS);
    expect(world.ids('b').at(-2)).toBe('workers.left');
    expect(world.clock.sleeping).toBeGreaterThan(0);
    await b.workers.leave();
    expect(await workersHeard(world.store)).toEqual([]);
    expect(world.clock.sleeping).toBe(0);
  });

  it('tell one of this machine that took its leave and ended from one that died', async () => {
    for (const told of ['workers.left', 'workers.lost']) {
      const world = new World();
      const [a, b] = await Promise.all(
        [1, 2].map((pid) => new Reader(world.open('ab'[pid - 1]!, { machine: 'here', pid })).begin()),
      );
      await passAndFollow(world, 30_000, [a!, b!]);
      a!.share.release();
      if (told === 'workers.left') await a!.workers.leave();
      else world.cut.add('a');
      world.alive = (pid) => pid !== 1;
      await passAndFollow(world, LEASE_MS / 3, [b!]);
      expect(b!.shards).toEqual(SHARDS);
      expect(world.ids('b').filter((id) => id === 'workers.left' || id === 'workers.lost')).toEqual([told]);
    }
  });

  it('take over what a dead one had after its lease, and not before', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    const b = await new Reader(world.open('b')).begin();
    await passAndFollow(world, 30_000, [a, b]);
    const had = b.shards;
    world.cut.add('a');
    await passAndFollow(world, LEASE_MS - 11_000, [b]);
    expect(b.shards).toEqual(had);
    await passAndFollow(world, 25_000, [b]);
    expect(b.shards).toEqual(SHARDS);
    expect(world.ids('b')).toContain('workers.lost');
  });

  it('own nothing while they cannot renew, and come back', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    world.cut.add('a');
    await world.pass(LEASE_MS - 1_000);
    expect(a.share.over.aborted).toBe(false);
    await world.pass(2_000);
    expect(a.share.over.aborted).toBe(true);
    expect(world.ids('a')).toContain('workers.lease_lost');
    await expect(a.workers.share(ARN)).rejects.toMatchObject({ code: 'object_store.unreachable' });
    world.cut.delete('a');
    await a.begin();
    expect(a.shards).toEqual(SHARDS);
  });

  it('keep a share that nothing changed in', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    await passAndFollow(world, 10 * LEASE_MS, [a]);
    expect(a.shares).toBe(1);
  });

  it('of another stream write too, and share nothing', async () => {
    const world = new World();
    const a = await new Reader(world.open('a')).begin();
    const other = world.open('other');
    await other.share(`${ARN}-2`);
    await passAndFollow(world, LEASE_MS, [a]);
    expect(a.workers.writers).toBe(2);
    expect(a.shards).toEqual(SHARDS);
    expect(a.shares).toBe(1);
  });
});

describe('a heartbeat that is seen for the first time', () => {
  it('is as old as the store says', async () => {
    const world = new World();
    await new Reader(world.open('dead')).begin();
    world.cut.add('dead');
    await world.pass(LEASE_MS + 1_000);
    const a = await new Reader(world.open('a')).begin();
    expect(a.shards).toEqual(SHARDS);
  });

  it('of a process of this machine that is gone, or whose number is ours now, counts for nothing', async () => {
    const world = new World();
    await new Reader(world.open('dead', { machine: 'm', pid: 7 })).begin();
    world.cut.add('dead');
    world.alive = (pid) => pid !== 7;
    const a = await new Reader(world.open('a', { machine: 'm', pid: 8 })).begin();
    expect(a.shards).toEqual(SHARDS);
    world.cut.add('a');
    const b = await new Reader(world.open('b', { machine: 'm', pid: 8 })).begin();
    expect(b.shards).toEqual(SHARDS);
    const elsewhere = await new Reader(world.open('c', { machine: 'n', pid: 8 })).begin();
    expect(elsewhere.shards).toEqual([]);
  });

  it('is removed when it is an hour old', async () => {
    const world = new World();
    await new Reader(world.open('dead')).begin();
    world.cut.add('dead');
    const a = await new Reader(world.open('a')).begin();
    world.clock.advance(3_600_000);
    await passAndFollow(world, LEASE_MS, [a]);
    expect((await workersHeard(world.store)).map(({ id }) => id)).toEqual(['a']);
  });

  it('that no version of ours wrote is left alone', async () => {
    const world = new World();
    await world.store.write(`${world.store.root}/.workers/strange.json`, Buffer.from('null'));
    const a = await new Reader(world.open('a')).begin();
    expect(a.shards).toEqual(SHARDS);
  });
});

it('tells what each reads', async () => {
  const world = new World();
  await new Reader(world.open('a')).begin();
  await world.pass(1_000);
  const [heard] = await workersHeard(world.store);
  expect(heard).toMatchObject({ id: 'a', stream: ARN, lease_ms: LEASE_MS });
  expect([...heard!.shards].sort()).toEqual([...SHARDS].sort());
});

it('comes, whoever comes, dies and is cut off meanwhile, to every shard being exactly one’s', async () => {
  const step = fc.constantFrom('join', 'leave', 'cut', 'mend', 'wait');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(5)), { maxLength: 12 }), async (steps) => {
      const world = new World();
      const live = new Map<string, Reader>();
      const join = async (id: string) => {
        live.set(id, await new Reader(world.open(id)).begin());
      };
      await join('first');
      for (const [index, [what, which]] of steps.entries()) {
        const id = [...live.keys()][which % Math.max(1, live.size)];
        if (what === 'join' && live.size < 4) await join(`w${index}`);
        else if (what === 'cut' && id !== undefined) world.cut.add(id);
        else if (what === 'mend' && id !== undefined) world.cut.delete(id);
        else if (what === 'leave' && id !== undefined && live.size > 1) {
          live.get(id)!.share.release();
          await live.get(id)!.workers.leave();
          live.delete(id);
        }
        for (const reader of live.values()) await reader.follow().catch(() => {});
        await world.pass(which * 4_000);
      }
      world.cut.clear();
      for (let round = 0; round < 120; round++) {
        await world.pass(1_000);
        for (const reader of live.values()) await reader.follow();
      }
      expectShared([...live.values()]);
      await Promise.all([...live.values()].map((reader) => reader.workers.leave()));
    }),
    { numRuns: 30 },
  );
});
