/**
 * Row lineage, which version 3 requires: every row has an id, given out in blocks. A manifest without a first id gets one
 * from the snapshot that lists it, in the order of the list, for all rows that it adds or holds; the files in it without
 * one of their own follow each other from there. Ids that no row gets are allowed; one that two rows get is not.
 */
import type { ListedManifest } from './manifest-list.ts';
import type { Snapshot, TableMetadata } from './metadata.ts';

export interface Numbered {
  manifests: readonly ListedManifest[];
  /** What the snapshot says; nothing in a table of version 2. */
  rowIds: Pick<Snapshot, 'first-row-id' | 'added-rows'>;
}

export function withRowIds(metadata: TableMetadata, manifests: readonly ListedManifest[]): Numbered {
  if (metadata['format-version'] < 3) return { manifests, rowIds: {} };
  const first = metadata['next-row-id'] ?? 0;
  let next = first;
  const numbered = manifests.map((manifest) => {
    if (manifest.content === 'deletes' || manifest.firstRowId !== undefined) return manifest;
    const firstRowId = next;
    next += manifest.addedRows + manifest.existingRows;
    return { ...manifest, firstRowId };
  });
  return { manifests: numbered, rowIds: { 'first-row-id': first, 'added-rows': next - first } };
}
