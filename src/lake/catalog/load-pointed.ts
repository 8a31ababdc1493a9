import { gunzipSync } from 'node:zlib';
import { Failure } from '../../base/base.ts';
import type { LakeOptions, Table } from '../lake.ts';
import { parseMetadata } from '../table/metadata.ts';
import type { PointerCatalog } from './catalog.ts';

const READS_MOST = 5;

/**
 * Reads what the catalog points at. Between the two a busy table's old metadata files may have been deleted: the
 * catalog is then asked again, as long as it points elsewhere each time.
 */
export async function loadPointed(
  { catalog, store }: { catalog: PointerCatalog } & Pick<LakeOptions, 'store'>,
  name: string,
  known?: Table,
): Promise<Table | undefined> {
  let tried: string | undefined;
  for (let reads = 0; ; reads++) {
    const pointer = await catalog.load(name);
    if (pointer === undefined) return undefined;
    const { metadataLocation } = pointer;
    // A metadata file never changes.
    if (metadataLocation === known?.metadataLocation) return known;
    try {
      const bytes = await store.read(metadataLocation);
      const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
      const text = Buffer.from(gzipped ? gunzipSync(bytes) : bytes).toString('utf8');
      return { name, metadata: parseMetadata(text, metadataLocation), metadataLocation };
    } catch (error) {
      const missing = error instanceof Failure && error.code === 'object_store.not_found';
      if (!missing || metadataLocation === tried || reads + 1 >= READS_MOST) throw error;
      tried = metadataLocation;
    }
  }
}
