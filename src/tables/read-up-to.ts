import { ancestors, type Table } from '../lake/lake.ts';
import type { Consumed } from './state.ts';

/**
 * Up to which sequence number a consumer has read what the table holds now: that of the newest common ancestor of the
 * current snapshot and the consumed one; −1 when there is none to be shown or the table is another one. After a
 * rollback, a move to another branch or an expiry a consumer may read something twice, and never misses anything.
 */
export function readUpTo(table: Table, consumed: Consumed | undefined): number {
  const { metadata } = table;
  const current = metadata['current-snapshot-id'];
  if (current === null || consumed === undefined || consumed.uuid !== metadata['table-uuid']) return -1;
  const onLine = new Set(ancestors(metadata, current).snapshots.map((s) => s['snapshot-id']));
  const common = ancestors(metadata, consumed.snapshot).snapshots.find((s) => onLine.has(s['snapshot-id']));
  return common?.['sequence-number'] ?? -1;
}
