/**
 * A column is its field id, so a file of another program in which a column has none would read as nulls: answers would
 * be wrong, and compaction would write the nulls. DuckDB (1.5.6) even gives up its instance where such a file is read
 * with row numbers. It is refused before, unless the table has a name mapping.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { LakeFile } from '../engine.ts';
import type { LocalFiles } from '../local-files.ts';
import { list } from './sql.ts';

/** Files known to have ids; forgetting one costs to look again. */
const KNOWN_MOST = 100_000;

/** Files of ours are named so, and those of DuckDB, which gives ids as well: they are spared the look, 0.1 ms each. */
const BARE_UUID = /\/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.parquet$/;

export function withFieldIds(inner: LocalFiles, connect: () => Promise<DuckDBConnection>): LocalFiles {
  const known = new Set<string>();
  return {
    async hold(files, need) {
      const held = await inner.hold(files, need);
      const asked = files.flatMap((file, i) =>
        file.nameMapped || known.has(file.location) || BARE_UUID.test(file.location)
          ? []
          : [{ file, path: held.paths[i]! }],
      );
      if (asked.length === 0) return held;
      try {
        const without = await withoutId(connect, [...new Set(asked.map(({ path }) => path))]);
        if (without === undefined) return held;
        for (const { file, path } of asked) {
          const column = without.get(path);
          if (column !== undefined) throw refusal(file, column);
          if (known.size >= KNOWN_MOST) known.clear();
          known.add(file.location);
        }
      } catch (error) {
        held.release();
        throw error;
      }
      return held;
    },
  };
}

/** The first column without an id, by path. Undefined where a file cannot be read: whoever reads it says so better. */
async function withoutId(
  connect: () => Promise<DuckDBConnection>,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const c = await connect();
  try {
    const rows = (
      await c.runAndReadAll(
        `select file_name, name, coalesce(num_children, 0)::integer, field_id is null from parquet_schema(${list(paths)})`,
      )
    ).getRowsJson() as [string, string, number, boolean][];
    return firstWithout(rows);
  } catch {
    return undefined;
  } finally {
    c.closeSync();
  }
}

/** Elements come file by file, a parent before its children; only those below the root are columns. */
function firstWithout(rows: readonly [string, string, number, boolean][]): Map<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  const skip = (count: number) => {
    for (let i = 0; i < count; i++) skip(rows[at++]?.[2] ?? 0);
  };
  while (at < rows.length) {
    const [path, , columns] = rows[at++]!;
    for (let i = 0; i < columns; i++) {
      const [, name, children, isWithout] = rows[at++]!;
      if (isWithout && !found.has(path)) found.set(path, name);
      skip(children);
    }
  }
  return found;
}

function refusal({ location }: LakeFile, column: string): Failure {
  return new Failure(`cannot read ${location}`, {
    code: 'engine.no_field_ids',
    fault: 'user',
    why: `its column ${column} has no field id, and the table no schema.name-mapping.default that says which column it is`,
    hint: 'set that property, as add_files of Spark and pyiceberg do, or have the file written by an Iceberg library',
    docs: 'docs/reference/tables.md',
  });
}
