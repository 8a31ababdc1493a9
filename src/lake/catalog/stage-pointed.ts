/** A version of a table whose metadata file is written and durable; only the pointer has to be moved. */
import { gzipSync } from 'node:zlib';
import type { Clock } from '../../base/base.ts';
import { mayBeGone, writeNew } from '../commit/new-file.ts';
import type { LakeOptions, Table } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { metadataLocation } from '../table/locations.ts';
import { stringifyMetadata, type TableMetadata } from '../table/metadata.ts';
import { logPrevious } from '../table/next-metadata.ts';
import type { PointerCatalog, PointerMove } from './catalog.ts';

export interface PointedVersion {
  table: Table;
  /** Metadata files that its log no longer names: to be deleted once it is the current version. */
  forgotten: readonly string[];
  move: PointerMove;
  /** Before its file was. */
  writtenAt_ms: number;
}

export async function stagePointed(
  { store, clock, random }: Pick<LakeOptions, 'store' | 'clock' | 'random'>,
  next: { name: string; metadata: TableMetadata; from: Table | undefined },
): Promise<PointedVersion> {
  const { name, from } = next;
  const { metadata, forgotten } =
    from === undefined
      ? { metadata: next.metadata, forgotten: [] }
      : logPrevious(next.metadata, { previous: from.metadata, location: from.metadataLocation });
  const gzip = metadata.properties['write.metadata.compression-codec'] === 'gzip';
  const to = metadataLocation(metadata.location, {
    previous: from?.metadataLocation,
    uuid: freshUuid({ now_ms: clock.now(), random }),
    gzip,
  });
  const writtenAt_ms = clock.now();
  const text = Buffer.from(stringifyMetadata(metadata));
  await writeNew(store, to, gzip ? gzipSync(text) : text);
  return {
    table: { name, metadata, metadataLocation: to },
    forgotten,
    move: { name, from: from?.metadataLocation, to },
    writtenAt_ms,
  };
}

/**
 * Once; throws as the catalog does. A machine that slept over it since the file was written is overtaken: another program
 * may have taken the file, and the table would be no more.
 */
export async function movePointer(
  { catalog, clock }: { catalog: PointerCatalog; clock: Clock },
  { move: { name, from, to }, writtenAt_ms }: Pick<PointedVersion, 'move' | 'writtenAt_ms'>,
): Promise<'moved' | 'conflict'> {
  if (mayBeGone(clock, writtenAt_ms)) return 'conflict';
  const answer = await (from === undefined ? catalog.create(name, to) : catalog.swap(name, { from, to }));
  return answer === 'created' || answer === 'swapped' ? 'moved' : 'conflict';
}
