/**
 * A batch of raw within its bounds: files whose partition is known keep it while there are places, and nothing has to be
 * asked of their rows. Of the others, those of raw's own overflow among them, the rows say where they belong. Where not
 * all fit, the largest of both have the places.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Placement } from '../../tables/tables.ts';
import { overflowFiles } from './placement.ts';
import { type PlacedFile, rowsOf } from './raw-rows.ts';
import { isKnown, keyOf } from './slices.ts';

export interface SharedOut {
  /** Each partition of these goes to a file of its own. */
  own: readonly PlacedFile[];
  /** Of these the rows are asked, within what is left for them. */
  asked: readonly { files: readonly PlacedFile[]; placement: Placement | undefined }[];
}

interface Group {
  files: readonly PlacedFile[];
  type: string;
  rows: number;
}

/** What the rows of files are of, whose partition is not known. */
export interface AskedSizes {
  partitions: number;
  /** Largest first. */
  types: readonly { type: string; rows: number }[];
  /** Largest first; no more than there can be places. */
  largest: readonly { type: string; rows: number }[];
}

const NOTHING: AskedSizes = { partitions: 0, types: [], largest: [] };

export async function shareOut(
  c: DuckDBConnection,
  {
    files,
    left,
    placement,
  }: {
    files: readonly PlacedFile[];
    left: (files: readonly PlacedFile[]) => number;
    placement: Placement | undefined;
  },
): Promise<SharedOut> {
  const { known = [], unknown = [] } = Object.groupBy(files, (file) => (isKnown(file) ? 'known' : 'unknown'));
  const unbound = {
    own: known,
    asked: unknown.length === 0 ? [] : [{ files: unknown, placement: undefined }],
  };
  if (placement === undefined) return unbound;
  const groups = [...Map.groupBy(known, keyOf).values()]
    .map((of): Group => ({ files: of, type: String(of[0]!.partition![1]), rows: left(of) }))
    .filter(({ rows }) => rows > 0);
  const sizes = unknown.length === 0 ? NOTHING : await askSizes(c, unknown, placement);
  const fit = fits(groups, { sizes, placement });
  if (!fit && (await placement.overflowSpec()) === undefined) return unbound;
  const reserved = overflowFiles(placement.filesMost);
  const types = allowedTypes(groups, { sizes, placement });
  // What overflows of each kind has files of its own.
  const places = placement.filesMost - reserved * (unknown.length === 0 ? 1 : 2);
  const own = fit ? new Set(groups) : largest(groups, { sizes, types, places });
  const over = groups.filter((group) => !own.has(group));
  // No further type is let in: which ones are is decided.
  const within = (filesMost: number): Placement =>
    bounded(placement, { filesMost: Math.max(1, filesMost), types, typesMost: types.size });
  const asked = [
    ...(over.length === 0
      ? []
      : [
          {
            files: over.flatMap((group) => group.files),
            placement: { ...within(reserved), overflowMost: reserved },
          },
        ]),
    ...(unknown.length === 0
      ? []
      : [
          {
            files: unknown,
            placement: within(placement.filesMost - own.size - (over.length === 0 ? 0 : reserved)),
          },
        ]),
  ];
  return { own: [...own].flatMap((group) => group.files), asked };
}

export function bounded(
  placement: Placement,
  changed: Partial<Pick<Placement, 'filesMost' | 'types' | 'typesMost'>>,
): Placement {
  const { filesMost, typesMost, types } = placement;
  return { filesMost, typesMost, types, ...changed, overflowSpec: () => placement.overflowSpec() };
}

function fits(
  groups: readonly Group[],
  { sizes, placement }: { sizes: AskedSizes; placement: Placement },
): boolean {
  const { types, typesMost, filesMost } = placement;
  const fresh = new Set(
    [...groups, ...sizes.types].map(({ type }) => type).filter((type) => !types.has(type)),
  );
  const typesFit = fresh.size === 0 || types.size + fresh.size <= typesMost;
  return typesFit && groups.length + sizes.partitions <= filesMost;
}

/** Those that have partitions already, and the largest new ones as far as there is room. */
function allowedTypes(
  groups: readonly Group[],
  { sizes, placement }: { sizes: AskedSizes; placement: Placement },
): ReadonlySet<string> {
  const rows = new Map<string, number>();
  for (const each of [...groups, ...sizes.types]) {
    if (!placement.types.has(each.type)) rows.set(each.type, (rows.get(each.type) ?? 0) + each.rows);
  }
  const fresh = [...rows]
    .toSorted(([a, of], [b, than]) => than - of || (a < b ? -1 : 1))
    .map(([type]) => type);
  return new Set([
    ...placement.types,
    ...fresh.slice(0, Math.max(0, placement.typesMost - placement.types.size)),
  ]);
}

function largest(
  groups: readonly Group[],
  { sizes, types, places }: { sizes: AskedSizes; types: ReadonlySet<string>; places: number },
): Set<Group> {
  const all: { type: string; rows: number; group?: Group }[] = [
    ...groups.map((group) => ({ ...group, group })),
    ...sizes.largest,
  ];
  const first = all
    .filter(({ type }) => types.has(type))
    .toSorted((a, b) => b.rows - a.rows)
    .slice(0, Math.max(0, places));
  return new Set(first.flatMap(({ group }) => group ?? []));
}

async function askSizes(
  c: DuckDBConnection,
  files: readonly PlacedFile[],
  { filesMost, typesMost }: Placement,
): Promise<AskedSizes> {
  await c.run(`create or replace temp table __asked as
    select epoch_us(created_datetime) // 86400000000 as day, event_type as type, count(*)::double as rows
    from (${rowsOf(files)}) group by all`);
  const rowsIn = async (sql: string) => (await c.runAndReadAll(sql)).getRowsJson() as [string, number][];
  const sized = async (sql: string) => (await rowsIn(sql)).map(([type, rows]) => ({ type, rows }));
  const [[, partitions]] = (await rowsIn("select '', count(*)::double from __asked")) as [[string, number]];
  return {
    partitions,
    types: await sized(
      `select type, sum(rows) from __asked group by type order by 2 desc limit ${typesMost + 1}`,
    ),
    largest: await sized(`select type, rows from __asked order by rows desc limit ${filesMost}`),
  };
}
