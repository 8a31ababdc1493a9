import { describe, expect, test } from 'vitest';
import {
  append,
  createSmall,
  movedClock,
  nothingStaged,
  smallFile,
  smallLake,
} from '../../../tests/support/small-lake.ts';
import { silentLog } from '../../base/base.ts';
import { decodeContainer } from '../avro/decode.ts';
import { encodeContainer } from '../avro/encode.ts';
import { type AvroRecord, recordIn } from '../avro/schema.ts';
import { versionsOf } from '../catalog/versions.ts';
import { writeAttempt } from '../commit/stage.ts';
import { type Lake, openMemoryCatalog, type Table } from '../lake.ts';
import { manifestEntrySchema } from './avro-schemas.ts';
import { encodeBound } from './bounds.ts';
import { decodeManifest } from './manifest.ts';
import { decodeManifestList, encodeManifestList, type ListedManifest } from './manifest-list.ts';
import { partitionSpec, stringifyMetadata } from './metadata.ts';

const SYNC = new Uint8Array(16);

/** As another program writes it: other names, partition fields in another order, all three kinds of entry. */
async function foreignManifest(table: Table): Promise<Uint8Array> {
  const ours = manifestEntrySchema(partitionSpec(table.metadata, 0), ['date', 'string'], {
    formatVersion: 2,
  });
  const file = recordIn(ours.fields[4]!.type)!;
  const partition = recordIn(file.fields[3]!.type)!;
  const reversed: AvroRecord = { ...partition, fields: partition.fields.toReversed() };
  const renamed: AvroRecord = {
    ...file,
    fields: file.fields.map((field) => {
      if (field['field-id'] === 102) return { ...field, type: reversed };
      return field['field-id'] === 103 ? { ...field, name: 'rows_in_file' } : field;
    }),
  };
  const schema: AvroRecord = {
    ...ours,
    fields: ours.fields.map((field) => (field['field-id'] === 2 ? { ...field, type: renamed } : field)),
  };
  const entry = (status: number, name: string, numbers: object) => ({
    status,
    ...numbers,
    data_file: {
      content: 0,
      file_path: `memory://lake/${name}.parquet`,
      file_format: 'parquet',
      partition: { at_day: 20_454, kind: name },
      rows_in_file: 5,
      file_size_in_bytes: 50,
      lower_bounds: new Map([[4, encodeBound('int', 1)]]),
      upper_bounds: new Map([[4, encodeBound('int', 9)]]),
    },
  });
  const explicit = { snapshot_id: 5n, sequence_number: 1, file_sequence_number: 1 };
  const rows = [entry(1, 'added', {}), entry(0, 'existing', explicit), entry(2, 'deleted', explicit)];
  const metadata = { 'partition-spec-id': '0', 'format-version': '2', content: 'data' };
  return encodeContainer({ schema, metadata, codec: 'null', sync: SYNC }, rows);
}

const listed = (location: string, more: Partial<ListedManifest> = {}): ListedManifest => ({
  location,
  length: 1,
  specId: 0,
  content: 'data',
  sequenceNumber: 2,
  minSequenceNumber: 1,
  addedSnapshotId: 77n,
  addedFiles: 1,
  existingFiles: 1,
  deletedFiles: 1,
  addedRows: 5,
  existingRows: 5,
  deletedRows: 5,
  partitions: [],
  encodedPartitions: undefined,
  keyMetadata: Buffer.of(1, 2),
  ...more,
});

/** A snapshot that another program put on top: no totals in its summary, and manifests of its own. */
async function foreignSnapshot(
  lake: Lake,
  table: Table,
  manifests: readonly ListedManifest[],
): Promise<Table> {
  const list = `${table.metadata.location}/metadata/foreign-list.avro`;
  const header = { snapshotId: 77n, parentId: table.metadata['current-snapshot-id']!, sequenceNumber: 2 };
  await lake.store.write(list, await encodeManifestList(manifests, { header, sync: SYNC, formatVersion: 2 }));
  const snapshot = {
    'snapshot-id': 77n,
    'parent-snapshot-id': header.parentId,
    'sequence-number': 2,
    'timestamp-ms': table.metadata['last-updated-ms'],
    'manifest-list': list,
    summary: { operation: 'overwrite', 'their-key': 'kept' },
  };
  const metadata = {
    ...table.metadata,
    'last-sequence-number': 2,
    'current-snapshot-id': 77n,
    snapshots: [...table.metadata.snapshots, snapshot],
  };
  return { ...table, metadata };
}

describe('a manifest of another writer', () => {
  test('is read by field ids, with what each entry inherits', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const bytes = await foreignManifest(table);
    const inherited = { snapshotId: 77n, sequenceNumber: 2 };
    const { entries } = decodeManifest(table.metadata, bytes, { location: 'there', inherited });
    expect(
      entries.map(({ status, file }) => [
        status,
        file.partition,
        file.recordCount,
        file.sequenceNumber,
        file.snapshotId,
      ]),
    ).toEqual([
      ['added', [20_454, 'added'], 5, 2, 77n],
      ['existing', [20_454, 'existing'], 5, 1, 5n],
      ['deleted', [20_454, 'deleted'], 5, 1, 5n],
    ]);
    expect(entries[0]!.file.upperBounds.get(4)).toBe(9);
  });

  test('gives its live files to a query, each with its own sequence number', async () => {
    const { lake, store } = smallLake();
    const table = await createSmall(lake);
    const location = `${table.metadata.location}/metadata/foreign.avro`;
    await store.write(location, await foreignManifest(table));
    const theirs = await foreignSnapshot(lake, table, [listed(location)]);
    const names = async (query: object) =>
      (await lake.files(theirs, query)).files.map((file) => file.location.split('/').at(-1));
    expect(await names({})).toEqual(['existing.parquet', 'added.parquet']);
    expect(await names({ afterSequenceNumber: 1 })).toEqual(['added.parquet']);
    expect(await names({ where: [{ column: 'size', min: 10 }] })).toEqual([]);
  });

  test('is carried over by our commit as it is, and counted although its summary says nothing', async () => {
    const { lake, store } = smallLake();
    const table = await createSmall(lake);
    const location = `${table.metadata.location}/metadata/foreign.avro`;
    await store.write(location, await foreignManifest(table));
    const bounds = {
      contains_null: true,
      contains_nan: undefined,
      lower_bound: undefined,
      upper_bound: undefined,
    };
    const manifest = listed(location, { encodedPartitions: [bounds, bounds] });
    const empty = listed('memory://lake/gone.avro', {
      addedFiles: 0,
      existingFiles: 0,
      addedRows: 0,
      existingRows: 0,
    });
    const theirs = await foreignSnapshot(lake, table, [manifest, empty]);
    const pointer = `${table.metadata.location}/metadata/00001-theirs.metadata.json`;
    await store.write(pointer, Buffer.from(stringifyMetadata(theirs.metadata)));

    const { lake: ours } = smallLake({ store });
    const base = { ...theirs, metadataLocation: pointer };
    const { summary, lists } = await commitOn(ours, base);
    expect(summary).toMatchObject({
      'total-records': '20',
      'total-data-files': '3',
      'total-files-size': String(100 + 1_010),
      'total-delete-files': '0',
    });
    expect(lists.map((each) => each.location)).toHaveLength(2);
    expect(lists[1]).toEqual({ ...manifest, partitions: [{ containsNull: true }, { containsNull: true }] });
  });

  test('that holds delete files makes the table unreadable to us, rather than read wrongly', async () => {
    const { lake } = smallLake();
    const table = await createSmall(lake);
    const theirs = await foreignSnapshot(lake, table, [
      listed('memory://lake/d.avro', { content: 'deletes' }),
    ]);
    await expect(lake.files(theirs)).rejects.toMatchObject({ code: 'lake.deletes_unsupported' });
  });
});

/** What a commit on this base would put into the summary and the list; the catalog does not know the base. */
async function commitOn(lake: Lake, base: Table) {
  const manifests = await lake.prepare(base, [smallFile(lake, base)]);
  const ports = {
    store: lake.store,
    catalog: openMemoryCatalog(),
    clock: movedClock(0),
    log: silentLog,
    random: Math.random,
    manifestFiles: 1,
    commitAttempts: 1,
  };
  const versions = versionsOf(ports);
  const change = { commitId: 'c', operation: 'append' as const, manifests, stage: nothingStaged };
  const attempt = await writeAttempt({ ...ports, versions }, base, change);
  if ('refused' in attempt) throw new Error(attempt.refused);
  const list = attempt.snapshot['manifest-list'];
  const lists = decodeManifestList(base.metadata, await lake.store.read(list), list);
  return { summary: attempt.snapshot.summary, lists };
}

test('a manifest of ours says in its header what other readers look for there', async () => {
  const { lake } = smallLake();
  const table = await createSmall(lake);
  const next = await append(lake, table, { commitId: 'c', files: [smallFile(lake, table)] });
  const found = lake.store.list(`${next.metadata.location}/metadata/`);
  for await (const { location } of found) {
    if (!location.endsWith('-m0.avro')) continue;
    const { schema, metadata } = decodeContainer(await lake.store.read(location), location);
    expect(schema.name).toBe('manifest_entry');
    expect(JSON.parse(metadata.get('schema')!)).toEqual({ ...next.metadata.schemas[0] });
    expect(JSON.parse(metadata.get('partition-spec')!)).toEqual(next.metadata['partition-specs'][0]!.fields);
    expect(metadata.get('partition-spec-id')).toBe('0');
    expect(metadata.get('content')).toBe('data');
  }
});
