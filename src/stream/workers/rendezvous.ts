/**
 * Rendezvous hashing (highest random weight; Thaler and Ravishankar 1998): every worker gives every shard a weight by a
 * hash of both names, and the greatest weight has it. Equal views agree without a word, and a worker that comes or goes
 * moves only the shards that it gets or had.
 */
import { createHash } from 'node:crypto';

/** Undefined when there are no workers. */
export function ownerOf(shard: string, workers: Iterable<string>): string | undefined {
  let owner: string | undefined;
  let most = -1n;
  for (const worker of workers) {
    const weight = weightOf(worker, shard);
    if (weight < most || (weight === most && owner !== undefined && worker > owner)) continue;
    [owner, most] = [worker, weight];
  }
  return owner;
}

function weightOf(worker: string, shard: string): bigint {
  return createHash('sha256').update(`${worker}\0${shard}`).digest().readBigUInt64BE();
}
