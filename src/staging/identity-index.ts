/**
 * Which identities of a batch stand in staging already, over all its history. This one asks the table itself: exact,
 * and bounded in memory by the batch, at a cost that grows with history (0.16 s a batch at 1M rows, 5 s at 30M). An
 * index derived from the table replaces it behind the same interface.
 */
import { localPaths, type RawBatch } from '../engine/engine.ts';
import type { Lake, Table } from '../lake/lake.ts';

/** Row ids of the batch whose identity is held by this snapshot of staging. */
export async function heldByHistory(
  lake: Lake,
  { staging, batch }: { staging: Table; batch: RawBatch },
): Promise<Int32Array> {
  const { files } = await lake.files(staging);
  return batch.heldBy(localPaths(lake, files));
}
