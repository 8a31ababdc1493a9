/**
 * What operators and other programs do to a table behind our back: they move `main`, expire snapshots, append without
 * our keys. Done by writing a metadata file and moving the catalog to it, as they do.
 */
import { stringifyJson } from '../../src/base/base.ts';
import type { DataFile, Lake, PointerCatalog, Table, TableMetadata } from '../../src/lake/lake.ts';
import { nothingStaged } from './small-lake.ts';

export interface Editable {
  lake: Lake;
  catalog: PointerCatalog;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The table as the catalog has it, after the edit. */
export async function editTable(
  { lake, catalog }: Editable,
  name: string,
  edit: (metadata: Mutable<TableMetadata>) => void,
): Promise<Table> {
  const table = await loaded(lake, name);
  const metadata: Mutable<TableMetadata> = structuredClone(table.metadata);
  // Each version names the one before, as in every Iceberg library.
  const before = { 'timestamp-ms': metadata['last-updated-ms'], 'metadata-file': table.metadataLocation };
  metadata['metadata-log'] = [...metadata['metadata-log'], before];
  edit(metadata);
  const to = `${table.metadataLocation.slice(0, table.metadataLocation.lastIndexOf('/'))}/edit-${crypto.randomUUID()}.metadata.json`;
  await lake.store.write(to, Buffer.from(stringifyJson(metadata)));
  const moved = await catalog.swap(name, { from: table.metadataLocation, to });
  if (moved !== 'swapped') throw new Error(`${name} was changed at the same time`);
  return loaded(lake, name);
}

/** Moves `main` to a snapshot that the table holds, as Iceberg's `rollback_to_snapshot` and `set_current_snapshot` do. */
export function setMain(editable: Editable, name: string, snapshotId: bigint): Promise<Table> {
  return editTable(editable, name, (metadata) => {
    if (!metadata.snapshots.some((s) => s['snapshot-id'] === snapshotId)) throw new Error(`no ${snapshotId}`);
    metadata['current-snapshot-id'] = snapshotId;
    metadata.refs = { ...metadata.refs, main: { 'snapshot-id': snapshotId, type: 'branch' } };
    metadata['snapshot-log'] = [
      ...metadata['snapshot-log'],
      { 'snapshot-id': snapshotId, 'timestamp-ms': metadata['last-updated-ms'] },
    ];
  });
}

export function expireSnapshots(editable: Editable, name: string, ids: readonly bigint[]): Promise<Table> {
  return editTable(editable, name, (metadata) => {
    metadata.snapshots = metadata.snapshots.filter((s) => !ids.includes(s['snapshot-id']));
  });
}

/** A snapshot of another program on main: our keys are neither in its summary nor changed by it. */
export async function foreignSnapshot(
  editable: Editable,
  name: string,
  { files = [], operation = 'append' }: { files?: readonly DataFile[]; operation?: string },
): Promise<Table> {
  const { lake } = editable;
  const table = await loaded(lake, name);
  const outcome = await lake.commit(table, {
    commitId: crypto.randomUUID(),
    operation: 'append',
    manifests: files.length === 0 ? [] : await lake.prepare(table, files),
    stage: nothingStaged,
  });
  if (outcome.kind !== 'committed') throw new Error(outcome.why);
  return editTable(editable, name, (metadata) => {
    metadata.snapshots = metadata.snapshots.map((snapshot) => {
      if (snapshot['snapshot-id'] !== outcome.snapshot['snapshot-id']) return snapshot;
      const summary = Object.entries(snapshot.summary).filter(([key]) => !key.startsWith('lakeward.'));
      return { ...snapshot, summary: { ...Object.fromEntries(summary), operation } };
    });
  });
}

/** As another program's DELETE of every row leaves it: a snapshot without files, on top of what is there. */
export function deleteAllRows(editable: Editable, name: string): Promise<Table> {
  return editTable(editable, name, (metadata) => {
    const [empty, newest] = [metadata.snapshots[0]!, metadata.snapshots.at(-1)!];
    const number = metadata['last-sequence-number'] + 1;
    const deleted = {
      ...newest,
      'snapshot-id': BigInt(number),
      'parent-snapshot-id': newest['snapshot-id'],
      'sequence-number': number,
      'manifest-list': empty['manifest-list'],
      summary: { operation: 'delete', 'total-records': '0' },
    };
    metadata.snapshots = [...metadata.snapshots, deleted];
    metadata['last-sequence-number'] = number;
    metadata['current-snapshot-id'] = deleted['snapshot-id'];
    metadata.refs = { main: { 'snapshot-id': deleted['snapshot-id'], type: 'branch' } };
  });
}

export async function loaded(lake: Lake, name: string): Promise<Table> {
  const table = await lake.load(name);
  if (table === undefined) throw new Error(`there is no ${name}`);
  return table;
}

export const currentId = (table: Table): bigint => table.metadata['current-snapshot-id']!;
