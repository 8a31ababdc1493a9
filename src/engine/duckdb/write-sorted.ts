/** Rows of raw as files of staging: slices of whole partitions, each reading only its own files, side by side. */
import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Placement, STAGING } from '../../tables/tables.ts';
import type { Target } from '../batch.ts';
import type { LocalFile } from '../engine.ts';
import { inLanes, type Lanes } from './lanes.ts';
import { PARTITIONS_AT_ONCE } from './placement.ts';
import { COLUMNS, type PlacedFile, rowsOf } from './raw-rows.ts';
import { bounded, shareOut } from './share-out.ts';
import { type Slice, slicesOf } from './slices.ts';
import { fillRowIds } from './vectors.ts';
import { ensureRows, partitionHint, rowsIn, writePartitioned } from './write.ts';

interface Input {
  lanes: Lanes;
  files: readonly PlacedFile[];
  /** Row ids that are left out. */
  drop: Int32Array;
  folder: string;
  placement: Placement | undefined;
  /** Staging as it is now, where it is not as it was created. */
  target?: Target;
}

export async function writeSorted(input: Input): Promise<LocalFile[]> {
  const { lanes, files, drop, folder, placement, target } = input;
  const dropped = drop.toSorted();
  const left = (some: readonly PlacedFile[]) => rowsOfFiles(some) - rowIdsIn(some, dropped).length;
  const { own, asked } = await shareOut(lanes.connection, { files, left, placement });
  const slices = slicesOf(own, {
    lanes: lanes.most,
    // All lanes together hold as many partitions open as one write may.
    partitions: Math.max(1, Math.floor(PARTITIONS_AT_ONCE / lanes.most)),
  });
  const pieces: Piece[] = [
    ...asked.map((each) => ({ ...each, rows: rowsOfFiles(each.files), partitions: undefined })),
    ...slices.map((slice) => ({ ...slice, placement: placement && ownOf(slice, placement) })),
  ];
  const written = await inLanes(lanes, pieces, (c, piece) =>
    writePiece(c, { piece, drop: rowIdsIn(piece.files, dropped), folder, ...(target && { target }) }),
  );
  return written.flat();
}

type Piece = Slice & { placement: Placement | undefined };

/** If it should hold rows of other partitions than its files say. */
const ownOf = ({ partitions }: Slice, placement: Placement): Placement =>
  bounded(placement, { filesMost: Math.max(1, partitions?.length ?? 0) });

interface PieceWrite {
  piece: Piece;
  /** Those of the piece alone. */
  drop: Int32Array;
  folder: string;
  target?: Target;
}

async function writePiece(
  c: DuckDBConnection,
  { piece, drop, folder, target }: PieceWrite,
): Promise<LocalFile[]> {
  const expected = piece.rows - drop.length;
  if (expected === 0) return [];
  let rows = `(${rowsOf(piece.files)})`;
  if (drop.length > 0) {
    await fillRowIds(c, 'dropped', drop);
    rows += ' where rid not in (select rid from dropped)';
  }
  const write = {
    table: STAGING,
    ...(target && { target }),
    select: `select ${COLUMNS}, (epoch_us(created_datetime) // 86400000000)::integer as __day, event_type as __type
      from ${rows}`,
    partitionBy: ['__day', '__type'],
    typeKey: '__type',
    orderBy: ['event_name', 'created_datetime'],
    sortOrderId: 1,
    folder,
    ...(piece.placement && { placement: piece.placement }),
    hint: (values: LocalFile['file']['partition']) =>
      partitionHint(['created_datetime_day', 'event_type'], values),
  };
  if (piece.partitions !== undefined) {
    // A row of any other partition is left out, and then the piece holds fewer rows than it must.
    const files = await writePartitioned(c, { ...write, partitions: piece.partitions });
    if (rowsIn(files) === expected) return files;
    // A file of another program holds rows of other partitions than it says; then the rows say where they belong.
    await Promise.all(files.map((file) => rm(file.localPath, { force: true })));
  }
  return ensureRows(await writePartitioned(c, write), expected);
}

const rowsOfFiles = (files: readonly PlacedFile[]) => files.reduce((sum, { rows }) => sum + rows, 0);

/** Those of `sorted` that are rows of these files. */
function rowIdsIn(files: readonly PlacedFile[], sorted: Int32Array): Int32Array {
  const parts = files.map(({ first, rows }) =>
    sorted.subarray(placeOf(first, sorted), placeOf(first + rows, sorted)),
  );
  const ids = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return ids;
}

/** Where the first one stands that is not less. */
function placeOf(id: number, sorted: Int32Array): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
