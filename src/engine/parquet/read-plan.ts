/** Which bytes of a Parquet file have to be there for what is read of it. */
import { mayMatch } from '../../lake/lake.ts';
import type { Need } from '../local-files.ts';
import type { ByteRange, Footer, RowGroup } from './footer.ts';

export interface ReadPlan {
  /** Row groups that can hold a row that is needed. */
  groups: readonly number[];
  /** Of their columns that are read; in order, apart from each other. */
  ranges: readonly ByteRange[];
}

/** Bytes in between that are rather fetched than asked for apart: a request takes as long as 1 MB or more. */
const GAP_BYTES = 64 * 1024;

export function planRead(footer: Footer, { columns, anyOf }: Need): ReadPlan {
  const wanted = columns && placesOf(footer, columns);
  const groups = [...footer.groups.keys()].filter(
    (i) => anyOf === undefined || anyOf.some((filters) => mayHold(footer, footer.groups[i]!, filters)),
  );
  const ranges = groups.flatMap((i) =>
    footer.groups[i]!.chunks.filter(({ column }) => wanted === undefined || wanted.has(column)).flatMap(
      (chunk) => chunk.ranges,
    ),
  );
  return { groups, ranges: joined(ranges) };
}

type Column = NonNullable<Need['columns']>[number];

/** By id where the file has ids. Without them a column may stand under an older name: then everything is read. */
function placesOf(footer: Footer, columns: readonly Column[]): ReadonlySet<number> | undefined {
  const places = columns.map((column) => placeOf(footer, column));
  const hasIds = footer.columns.some(({ id }) => id !== undefined);
  if (!hasIds && places.includes(-1)) return undefined;
  // Batches find columns by name, questions by id.
  return new Set([...places, ...columns.map(({ name }) => placeOf(footer, { name }))]);
}

function placeOf({ columns }: Footer, { id, name }: Column): number {
  const byId = id === undefined ? -1 : columns.findIndex((column) => column.id === id);
  return byId >= 0 ? byId : columns.findIndex((column) => column.name === name);
}

function mayHold(footer: Footer, group: RowGroup, filters: NonNullable<Need['anyOf']>[number]): boolean {
  return filters.every(({ column: name, id, ...wanted }) => {
    const column = placeOf(footer, { ...(id !== undefined && { id }), name });
    const chunks = group.chunks.filter((chunk) => chunk.column === column);
    if (chunks.length !== 1) return true;
    const [{ lower, upper }] = chunks as [RowGroup['chunks'][number]];
    return mayMatch(wanted, { lower, upper });
  });
}

function joined(ranges: readonly ByteRange[]): ByteRange[] {
  const out: ByteRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last !== undefined && range.from <= last.to + GAP_BYTES) last.to = Math.max(last.to, range.to);
    else out.push({ ...range });
  }
  return out;
}
