/** Several runs into one. It goes in steps of some ten thousand keys, so that other work of the process goes on. */
import { copyKey, hashAt } from '../../event/event.ts';
import { compareKeys } from './order.ts';
import type { Run } from './run.ts';
import { RunWriter } from './run-writer.ts';

const PAGES_AT_ONCE = 64;
const KEYS_AT_ONCE = 16_384;

interface Head {
  run: Run;
  page: number;
  keys: Uint32Array;
  index: number;
  hash: number;
}

export async function mergeRuns(
  runs: readonly Run[],
  { path, bits, signal }: { path: string; bits: number; signal: AbortSignal },
): Promise<void> {
  const writer = await RunWriter.create(path, { keys: runs.reduce((sum, { keys }) => sum + keys, 0), bits });
  try {
    const heads = (await Promise.all(runs.map((run) => begin(run)))).filter((head) => head !== undefined);
    const out = new Uint32Array(KEYS_AT_ONCE * 4);
    let count = 0;
    while (heads.length > 0) {
      signal.throwIfAborted();
      const least = leastOf(heads);
      const isRepeat = count > 0 && compareKeys(out, count - 1, least.keys, least.index) === 0;
      if (!isRepeat) {
        copyKey(least.keys, least.index, out, count);
        count++;
      }
      if (!advance(least) && !(await refill(least))) heads.splice(heads.indexOf(least), 1);
      if (count === KEYS_AT_ONCE) {
        // The last key stays to be compared with.
        await writer.write(out.subarray(0, (count - 1) * 4));
        out.copyWithin(0, (count - 1) * 4, count * 4);
        count = 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await writer.write(out.subarray(0, count * 4));
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function begin(run: Run): Promise<Head | undefined> {
  const head: Head = { run, page: 0, keys: new Uint32Array(0), index: 0, hash: 0 };
  return (await refill(head)) ? head : undefined;
}

async function refill(head: Head): Promise<boolean> {
  if (head.page >= head.run.pages) return false;
  const to = Math.min(head.run.pages, head.page + PAGES_AT_ONCE);
  head.keys = await head.run.read(head.page, to);
  head.page = to;
  head.index = 0;
  if (head.keys.length === 0) return refill(head);
  head.hash = hashAt(head.keys, 0);
  return true;
}

function advance(head: Head): boolean {
  if (++head.index >= head.keys.length >>> 2) return false;
  head.hash = hashAt(head.keys, head.index);
  return true;
}

function leastOf(heads: readonly Head[]): Head {
  let least = heads[0]!;
  for (let i = 1; i < heads.length; i++) {
    const head = heads[i]!;
    if (head.hash > least.hash) continue;
    if (head.hash < least.hash || compareKeys(head.keys, head.index, least.keys, least.index) < 0)
      least = head;
  }
  return least;
}
