/**
 * What it costs staging to know whether events are new, against how many it has seen: batches of 100,000 identities, 2%
 * of them repeats from anywhere in history. Last line: figure against bar. Usage: node bench/identities.ts [MILLIONS]
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredIdentities } from '../src/staging/staging.ts';

const BATCH = 100_000;
const MILLION = 1_000_000;
const REPEATS = 0.02;
const most = Number(process.argv[2] ?? 100);
const sizes = [1, 10, 30, 100, 300, 1000].filter((millions) => millions <= most);
/** A batch may take this many times as long at the largest size as at a million. */
const BAR = 12;

const folder = await mkdtemp(join(tmpdir(), 'lakeward-identities-'));
const stored = (await StoredIdentities.open({
  // What the defaults of memory.limit and dedupe.filterMemory leave it.
  ...{ folder, newId: () => crypto.randomUUID(), memory_ids: 600_000, filter_bytes: 64e6 },
}))!;

/** Identity number n, as random as a UUID: SplitMix over the number. */
function put(keys: Uint32Array, at: number, n: number): void {
  let state = (n * 0x9e3779b1) >>> 0;
  for (let word = 0; word < 4; word++) {
    state = (state + 0x9e3779b9 + word + Math.floor(n / 2 ** 32)) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    keys[at * 4 + word] = mixed ^ (mixed >>> 15) ^ (word === 3 ? n : 0);
  }
}

let total = 0;
let random = 1;
const next = () => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
  return random / 2 ** 32;
};
const keys = new Uint32Array(BATCH * 4);
const took: { millions: number; ms: number }[] = [];
console.log('ids         a batch of 100,000   adding a million   on disk');
for (const millions of sizes) {
  const begun = performance.now();
  const from = total;
  while (total < millions * MILLION) {
    for (let i = 0; i < BATCH; i++) put(keys, i, total + i);
    await stored.add(keys, BATCH);
    total += BATCH;
    await stored.cover({ uuid: 'bench', snapshot: 1n, sequenceNumber: total / BATCH });
  }
  const adding = ((performance.now() - begun) / (total - from)) * MILLION;
  const times: number[] = [];
  for (let round = 0; round < 15; round++) {
    let repeats = 0;
    for (let i = 0; i < BATCH; i++) {
      const old = next() < REPEATS;
      if (old) repeats++;
      put(keys, i, old ? Math.floor(next() * total) : 2 ** 40 + round * BATCH + i + total);
    }
    const asked = performance.now();
    const held = await stored.heldOf(keys, BATCH);
    times.push(performance.now() - asked);
    if (held.length !== repeats) throw new Error(`${held.length} held, ${repeats} are`);
  }
  const ms = times.sort((a, b) => a - b)[7]!;
  took.push({ millions, ms });
  const sizesOnDisk = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
  const disk = sizesOnDisk.reduce((sum, { size }) => sum + size, 0) / 1e6;
  console.log(
    `${`${millions}M`.padEnd(12)}${`${ms.toFixed(0)} ms`.padEnd(21)}${`${adding.toFixed(0)} ms`.padEnd(19)}${disk.toFixed(0)} MB`,
  );
}
await stored.close();
await rm(folder, { recursive: true });
const ratio = took.at(-1)!.ms / took[0]!.ms;
console.log(
  `a batch at ${took.at(-1)!.millions}M ids takes ${ratio.toFixed(1)} × what it takes at ${took[0]!.millions}M (bar: ${BAR})`,
);
process.exit(ratio <= BAR ? 0 : 1);
