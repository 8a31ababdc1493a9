import { mkdir, mkdtemp, open, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sorted } from './order.ts';
import { DamagedRun, Run, sought } from './run.ts';
import { RunWriter } from './run-writer.ts';
import { StoredIdentities } from './stored-identities.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identities-'));
});
afterAll(() => rm(folder, { recursive: true }));

let ids = 0;
const options = (over: Partial<Parameters<typeof StoredIdentities.open>[0]> = {}) => ({
  folder: join(folder, `${++ids}`),
  newId: () => String(++ids),
  memory_ids: 8,
  filter_bytes: 1e6,
  ...over,
});

/** Spread over all words, so that counters, equal halves and the identity of zeros are among them. */
const keyOf = (n: number) =>
  n === 0 ? [0, 0, 0, 0] : [n % 3, n >>> 4, n % 2 === 0 ? n : 0, Math.imul(n, n)];
const keysOf = (numbers: readonly number[]) => Uint32Array.from(numbers.flatMap(keyOf));
const at = (sequenceNumber: number) => ({
  uuid: 'table',
  snapshot: 2n ** 62n + BigInt(sequenceNumber),
  sequenceNumber,
});

async function held(stored: StoredIdentities, numbers: readonly number[]): Promise<number[]> {
  const places = await stored.heldOf(keysOf(numbers), numbers.length);
  return [...places].map((place) => numbers[place]!);
}

const EVERY = Array.from({ length: 120 }, (_, n) => n);

describe('any identities, added in any portions', () => {
  it('are held, and no others; after a death those up to the last index are, or none that it does not cover', async () => {
    const portion = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 30 });
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), portion }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('die' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('die adding' as const), portion }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const opening = options();
        let stored = (await StoredIdentities.open(opening))!;
        // What was added, by the number of the portion; death takes back what the index did not cover.
        let portions: number[][] = [];
        for (const each of steps) {
          if (each.kind === 'clear') {
            await stored.clear();
            portions = [];
          }
          if (each.kind === 'add' || each.kind === 'die adding') {
            await stored.add(keysOf(each.portion), each.portion.length);
            if (each.kind === 'add') {
              portions.push(each.portion);
              await stored.cover(at(portions.length));
            }
          }
          if (each.kind.startsWith('die')) {
            await stored.close();
            stored = (await StoredIdentities.open(opening))!;
            const covered = stored.covered?.sequenceNumber ?? 0;
            expect(covered).toBeLessThanOrEqual(portions.length);
            portions = portions.slice(0, covered);
          }
          const there = new Set(portions.flat());
          expect(await held(stored, EVERY)).toEqual(EVERY.filter((n) => there.has(n)));
          if (portions.length > 0) expect(stored.covered).toEqual(at(portions.length));
        }
        await stored.close();
      }),
      { numRuns: 40 },
    );
  });

  it('are in few runs, however many portions there were, and files of no run are not left behind', async () => {
    const opening = options({ memory_ids: 50 });
    let stored = (await StoredIdentities.open(opening))!;
    const numbers = Array.from({ length: 4_000 }, (_, n) => n);
    for (let first = 0; first < numbers.length; first += 40) {
      await stored.add(keysOf(numbers.slice(first, first + 40)), 40);
      await stored.cover(at(first));
    }
    await stored.close();
    await writeFile(join(opening.folder, 'run-of-a-dead-process'), 'half');
    stored = (await StoredIdentities.open(opening))!;
    expect(await held(stored, numbers)).toEqual(numbers.slice(0, stored.covered!.sequenceNumber + 40));
    expect((await readdir(opening.folder)).filter((name) => name.startsWith('run-')).length).toBeLessThan(16);
    await stored.close();
  });
});

describe('an index that is open', () => {
  it('is not opened by another, and is when its holder is gone', async () => {
    const opening = options();
    const first = (await StoredIdentities.open(opening))!;
    expect(await StoredIdentities.open(opening)).toBeUndefined();
    await first.close();
    const second = await StoredIdentities.open(opening);
    expect(second).toBeDefined();
    await second!.close();
  });

  it('is free again where opening it failed: what is in the way may go', async () => {
    const opening = options();
    const stored = (await StoredIdentities.open(opening))!;
    await stored.add(keysOf(EVERY), EVERY.length);
    await stored.cover(at(1));
    await stored.close();
    const run = join(
      opening.folder,
      (await readdir(opening.folder)).find((name) => name.startsWith('run-'))!,
    );
    const bytes = await readFile(run);
    await rm(run);
    await mkdir(run);
    await expect(StoredIdentities.open(opening)).rejects.toMatchObject({ code: 'EISDIR' });
    await rmdir(run);
    await writeFile(run, bytes);
    const again = await StoredIdentities.open(opening);
    expect(again?.covered).toEqual(at(1));
    await again?.close();
  });

  it('that was reloaded holds what its file covers, and not what was added since', async () => {
    const stored = (await StoredIdentities.open(options()))!;
    await stored.add(keysOf([1, 2, 3, 4, 5, 6]), 6);
    await stored.cover(at(1));
    await stored.add(keysOf(EVERY.slice(50)), 70);
    await stored.reload();
    expect(stored.covered).toEqual(at(1));
    expect(await held(stored, EVERY)).toEqual([1, 2, 3, 4, 5, 6]);
    await stored.close();
  });
});

describe('a run', () => {
  const numbers = Array.from({ length: 3_000 }, (_, n) => n * 2);

  async function written(path: string, bits: number) {
    const keys = sorted(keysOf([...numbers, ...numbers.slice(5, 50)]));
    const writer = await RunWriter.create(path, { keys: keys.length / 4, bits });
    await writer.write(keys);
    await writer.finish();
  }

  it.each([16, 1])('finds every identity in it and no other, with %i bits an identity', async (bits) => {
    const path = join(folder, `run-${++ids}`);
    await written(path, bits);
    const run = await Run.open(path);
    expect(run.keys).toBe(3_000);
    const asked = Array.from({ length: 6_000 }, (_, n) => n);
    const found = new Uint8Array(6_000);
    await run.find(sought(keysOf(asked), asked.length), found);
    expect([...found]).toEqual(asked.map((n) => (n % 2 === 0 ? 1 : 0)));
    await run.release();
  });

  it('that was changed anywhere is damaged when it is opened or read, and never answers wrongly', async () => {
    const path = join(folder, `run-${++ids}`);
    await written(path, 16);
    const bytes = await readFile(path);
    const damaged = join(folder, `run-${++ids}`);
    const asked = Array.from({ length: 6_000 }, (_, n) => n);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (place, change, cut) => {
          const copy = Buffer.from(cut ? bytes.subarray(0, place) : bytes);
          if (!cut) copy[place]! ^= change;
          await using file = await open(damaged, 'w');
          await file.writeFile(copy);
          try {
            const run = await Run.open(damaged);
            const found = new Uint8Array(6_000);
            try {
              await run.find(sought(keysOf(asked), asked.length), found);
            } finally {
              await run.release();
            }
            // Padding, and the footer's unused bytes, are of no account.
            expect([...found]).toEqual(asked.map((n) => (n % 2 === 0 ? 1 : 0)));
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedRun);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
