/**
 * SQL that gives the same rows on both engines. A transform's SQL is DuckDB's dialect; for Spark it is printed anew from
 * DuckDB's parse tree, by a list of what is known to mean the same. Checking needs no Spark.
 */
import { placeOf, treeOf, treeStatement } from './parse-tree.ts';
import { QueryPrinter } from './queries.ts';

export { columnText } from './casts.ts';
export { columnsRead } from './columns-read.ts';
export { treeOf, treeStatement } from './parse-tree.ts';

/** Something in the SQL that is not known to be the same on every engine. */
export interface NotPortable {
  /** Both from 1; undefined where DuckDB does not say. */
  line: number | undefined;
  column: number | undefined;
  what: string;
  hint: string;
}

export interface Portable {
  /** For Spark; of use only where there is no problem. */
  spark: string;
  problems: readonly NotPortable[];
}

/** `ask` runs a statement on DuckDB and answers its first cell. */
export async function portable(
  ask: (statement: string) => Promise<string>,
  { sql, views }: { sql: string; views: ReadonlyMap<string, string> },
): Promise<Portable> {
  const tree = treeOf(await ask(treeStatement(sql)));
  if (tree === undefined) {
    const what = 'a statement that is no SELECT, or more than one';
    return { spark: '', problems: [{ line: 1, column: 1, what, hint: 'a transform is one query' }] };
  }
  const printer = new QueryPrinter(views);
  const spark = printer.query(tree);
  const problems = printer.problems.map(({ at, what, hint }) => {
    const place = Number(at) < 0 ? undefined : placeOf(sql, at);
    return { line: place?.line, column: place?.column, what, hint };
  });
  return { spark, problems };
}
