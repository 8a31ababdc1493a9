/** What a transform's table says of it, without running anything. */
import { currentFields, currentSnapshot, type Lake } from '../lake/lake.ts';
import { tableState } from '../tables/tables.ts';
import type { Source, Transform } from './define.ts';
import { definitionHash, martRecord, runsOf } from './record.ts';
import { martName } from './sources.ts';
import type { TransformStatus } from './transforms.ts';

export async function transformStatus(lake: Lake, transform: Transform): Promise<TransformStatus> {
  const table = await lake.load(martName(transform.name));
  const { name, mode, partition } = transform;
  const common = { name, mode, partition, from: transform.from.map(sourceText) };
  if (table === undefined)
    return { ...common, rows: 0, state: 'new', columns: [], runs: [], consumed: {}, outdated: [] };
  const record = martRecord(table);
  const isOurs = record?.definition === definitionHash(transform);
  return {
    ...common,
    rows: Number(currentSnapshot(table.metadata)?.summary['total-records'] ?? 0),
    state: record === undefined ? 'taken' : isOurs ? 'current' : 'changed',
    columns: currentFields(table.metadata).map((field) => ({ name: field.name, type: field.type })),
    runs: runsOf(table).map(({ snapshot, record: run }) => ({
      at_ms: snapshot['timestamp-ms'],
      snapshot: snapshot['snapshot-id'],
      ...run,
    })),
    consumed: tableState(table).consumed,
    outdated: record?.outdated ?? [],
  };
}

const sourceText = (source: Source): string => (typeof source === 'string' ? source : `marts.${source.mart}`);
