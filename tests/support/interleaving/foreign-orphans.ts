/**
 * As Spark's `remove_orphan_files`: what is older than three days, and what no snapshot, no manifest and no metadata file
 * of the table names as it was when the program looked. It commits nothing, so that nobody's commit is in its way, and
 * it deletes whatever was committed meanwhile. Manifests are read by icebird, for it must not take our word.
 */
import { avroMetadata, avroRead } from 'icebird';
import type { Table } from '../../../src/lake/lake.ts';
import type { ObjectStore } from '../../../src/object-store/object-store.ts';

interface Looking {
  store: ObjectStore;
  /** Told before it looks: one that looks, sleeps and then asks the time takes live files, whoever wrote them. */
  olderThan_ms: number;
  table: Table;
  /** It may be overtaken here. */
  pause: () => Promise<void>;
}

export async function removeAsForeigner({ store, olderThan_ms, table, pause }: Looking): Promise<void> {
  const named = await namedBy(store, table);
  await pause();
  const orphans: string[] = [];
  for await (const { location, modifiedAt_ms } of store.list(`${table.metadata.location}/`))
    if (modifiedAt_ms < olderThan_ms && !named.has(location)) orphans.push(location);
  await pause();
  if (orphans.length > 0) await store.delete(orphans);
}

async function namedBy(store: ObjectStore, { metadata, metadataLocation }: Table): Promise<Set<string>> {
  const named = new Set([metadataLocation, ...metadata['metadata-log'].map((each) => each['metadata-file'])]);
  for (const { 'manifest-list': list } of metadata.snapshots) {
    named.add(list);
    for (const { manifest_path: manifest } of await records(store, list)) {
      if (named.has(manifest as string)) continue;
      named.add(manifest as string);
      for (const { status, data_file: file } of await records(store, manifest as string))
        if (status !== DELETED) named.add((file as { file_path: string }).file_path);
    }
  }
  return named;
}

const DELETED = 2;

async function records(store: ObjectStore, location: string): Promise<Record<string, unknown>[]> {
  const bytes = await store.read(location);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  return avroRead({ reader, ...avroMetadata(reader) });
}
