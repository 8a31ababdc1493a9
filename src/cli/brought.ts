import type { Snapshot } from '../lake/lake.ts';
import { snapshotFacts } from '../tables/tables.ts';

/** What one snapshot brought, and what it took away. Ours say who wrote them; rows and files every program counts. */
export function brought(snapshot: Snapshot) {
  const facts = snapshotFacts(snapshot);
  const count = (key: string) => Number(snapshot.summary[key] ?? 0);
  return {
    snapshot: String(snapshot['snapshot-id']),
    at: new Date(snapshot['timestamp-ms']).toISOString(),
    operation: snapshot.summary['operation'] ?? null,
    writer: facts?.writer ?? 'another program',
    addedRows: count('added-records'),
    // Other programs may mark rows as deleted instead of writing their files anew.
    removedRows: count('deleted-records') + count('added-position-deletes'),
    addedFiles: count('added-data-files'),
    removedFiles: count('deleted-data-files'),
    ledger: facts?.ledger ?? null,
  };
}
