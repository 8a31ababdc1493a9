import type { Lake, Table } from '../lake/lake.ts';
import { QUARANTINE_NAME, RAW_NAME, snapshotFacts, tableState } from '../tables/tables.ts';

/**
 * Manifests of quarantine that raw's property names, or a snapshot of raw, which an operator could make the current one
 * again: they wait to be adopted, or would wait again after a rollback of either table. One that raw names no more it
 * never names again.
 */
export async function namedByRaw(lake: Lake, table: Table): Promise<string[]> {
  const raw = table.name === QUARANTINE_NAME ? await lake.load(RAW_NAME) : undefined;
  if (raw === undefined) return [];
  const named = [
    ...tableState(raw).rejected,
    ...raw.metadata.snapshots.flatMap((snapshot) => snapshotFacts(snapshot)?.rejected ?? []),
  ];
  return [...new Set(named.flatMap((each) => each.locations))];
}
