/**
 * The files of a table that was dropped to be gone: those that its metadata names, found as a reader finds them.
 * Never a whole folder, which could hold another table's. What cannot be read or deleted stays.
 */
import { asWeSpellIt } from '../../object-store/object-store.ts';
import { decodeContainer } from '../avro/decode.ts';
import { positionsById, recordIn } from '../avro/schema.ts';
import type { Table } from '../lake.ts';
import { statisticsPaths } from '../table/updates/statistics.ts';
import type { Service } from './service.ts';

/** Ids of fields, by Iceberg's spec. */
const MANIFEST_PATH = 500;
const DATA_FILE = 2;
const FILE_PATH = 100;

export async function purge(service: Service, { metadata, metadataLocation }: Table): Promise<void> {
  const lists = new Set(metadata.snapshots.flatMap((snapshot) => snapshot['manifest-list'] ?? []));
  const manifests = new Set<string>();
  for (const list of lists)
    for (const path of await pathsIn(service, list, pathOfManifest)) manifests.add(path);
  // Somebody else may own the data files of such a table.
  const withData = metadata.properties['gc.enabled'] !== 'false';
  for (const manifest of manifests) {
    if (withData) await service.delete(await pathsIn(service, manifest, pathOfFile));
  }
  await service.delete([...manifests, ...lists, ...statisticsPaths(metadata)]);
  const versions = metadata['metadata-log'].map((entry) => entry['metadata-file']);
  await service.delete([...versions, metadataLocation]);
}

type Rows = ReturnType<typeof decodeContainer>;

async function pathsIn(
  { ports: { store, log } }: Service,
  location: string,
  pathsOf: (rows: Rows) => string[],
): Promise<string[]> {
  try {
    return pathsOf(decodeContainer(await store.read(asWeSpellIt(location)), location));
  } catch (error) {
    log.warn('catalog_server.purge_incomplete', 'a file of a dropped table could not be read', {
      location,
      why: error instanceof Error ? error.message : String(error),
    });
    return [];
  }
}

function pathOfManifest({ schema, rows }: Rows): string[] {
  const at = positionsById(schema).get(MANIFEST_PATH) ?? -1;
  return rows.map((row) => String(row[at]));
}

function pathOfFile({ schema, rows }: Rows): string[] {
  const at = positionsById(schema).get(DATA_FILE) ?? -1;
  const file = recordIn(schema.fields[at]?.type);
  const pathAt = file === undefined ? -1 : (positionsById(file).get(FILE_PATH) ?? -1);
  return rows.map((row) => String((row[at] as readonly unknown[] | undefined)?.[pathAt]));
}
