/** The ledger of one commit or of a whole table; every figure counts user records, bytes excepted. */
export interface Tally {
  received: number;
  written: number;
  duplicate: number;
  quarantined: number;
  /** Of the duplicates, those whose content differed from the copy at hand. */
  conflicting: number;
  /** User records outside their shard's hash range; kept. */
  stray: number;
  /** Written events older than the watermark when they came. */
  late: number;
  /** Rows that commits of ours took out again. */
  removed: number;
  /** Net rows of snapshots that are not ours. */
  foreign: number;
  /** Bytes of the records received. */
  bytes: number;
}

export const emptyTally: Tally = {
  received: 0,
  written: 0,
  duplicate: 0,
  quarantined: 0,
  conflicting: 0,
  stray: 0,
  late: 0,
  removed: 0,
  foreign: 0,
  bytes: 0,
};

export function addTally(a: Tally, b: Partial<Tally>): Tally {
  const sum = { ...a };
  for (const key of Object.keys(emptyTally) as (keyof Tally)[]) sum[key] = a[key] + (b[key] ?? 0);
  return sum;
}

/** Conservation: nothing that was received is unaccounted for. */
export function tallyBalances(t: Tally): boolean {
  return t.received === t.written + t.duplicate + t.quarantined;
}
