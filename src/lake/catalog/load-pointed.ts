import { gunzipSync } from 'node:zlib';
import { Failure } from '../../base/base.ts';
import type { LakeOptions, Table } from '../lake.ts';
import { parseMetadata, type TableMetadata } from '../table/metadata.ts';
import type { PointerCatalog } from './catalog.ts';

const READS_MOST = 5;

type Parse = (text: string, location: string) => TableMetadata;

export interface LoadOptions {
  /** Given back when it is still the current version. */
  known?: Table | undefined;
  /** Default: refuses what Lakeward cannot commit to. */
  parse?: Parse;
}

/**
 * Reads what the catalog points at. Between the two a busy table's old metadata files may have been deleted: the
 * catalog is then asked again, as long as it points elsewhere each time.
 */
export async function loadPointed(
  { catalog, store }: { catalog: PointerCatalog } & Pick<LakeOptions, 'store'>,
  name: string,
  { known, parse = parseMetadata }: LoadOptions = {},
): Promise<Table | undefined> {
  let tried: string | undefined;
  for (let reads = 0; ; reads++) {
    const pointer = await catalog.load(name);
    if (pointer === undefined) return undefined;
    const { metadataLocation } = pointer;
    // A metadata file never changes.
    if (metadataLocation === known?.metadataLocation) return known;
    try {
      return { name, metadata: await readMetadata(store, metadataLocation, parse), metadataLocation };
    } catch (error) {
      const missing = error instanceof Failure && error.code === 'object_store.not_found';
      if (!missing || metadataLocation === tried || reads + 1 >= READS_MOST) throw error;
      tried = metadataLocation;
    }
  }
}

export async function readMetadata(
  store: LakeOptions['store'],
  location: string,
  parse: Parse,
): Promise<TableMetadata> {
  const bytes = await store.read(location);
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parse(Buffer.from(gzipped ? gunzipSync(bytes) : bytes).toString('utf8'), location);
}
