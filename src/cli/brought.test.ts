import { expect, it } from 'vitest';
import type { Snapshot } from '../lake/lake.ts';
import { brought } from './brought.ts';

const snapshot = (summary: Record<string, string>): Snapshot => ({
  ...{ 'snapshot-id': 7n, 'sequence-number': 1, 'timestamp-ms': Date.UTC(2026, 0, 1) },
  ...{ 'manifest-list': 'lists/7.avro', 'schema-id': 0, summary },
});

it('is what another program says that it took away, by writing files anew and by marking rows', () => {
  const counts = { 'added-records': '5', 'deleted-records': '8', 'added-position-deletes': '2' };
  const files = { 'added-data-files': '1', 'deleted-data-files': '3' };
  expect(brought(snapshot({ operation: 'overwrite', ...counts, ...files }))).toMatchObject({
    ...{ operation: 'overwrite', writer: 'another program', at: '2026-01-01T00:00:00.000Z', ledger: null },
    ...{ addedRows: 5, removedRows: 10, addedFiles: 1, removedFiles: 3 },
  });
});
