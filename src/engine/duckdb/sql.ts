/** Text as an SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const list = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;

/**
 * A scan of exactly these files; `options` are further arguments of read_parquet, in SQL.
 *
 * Two defaults of DuckDB would give wrong rows here. It takes folders named `event_type=a_b` for partition columns, and
 * the readable text of the path would replace the value `a/b` that stands in the file. And it takes paths for patterns:
 * in a lake under a folder `a*b` a file's path would match another lake's files too.
 */
export function parquet(paths: readonly string[], options: Readonly<Record<string, string>> = {}): string {
  const more = Object.entries(options).map(([name, value]) => `, ${name} = ${value}`);
  return `read_parquet(${list(paths.map(exactly))}, hive_partitioning = false${more.join('')})`;
}

/** A path as a pattern that only it matches. */
const exactly = (path: string): string => path.replace(/[[*?]/g, '[$&]');
