/** The questions of `questions.ts`, as Spark is asked them. */
import type { FileFilter, Table } from '../../src/lake/lake.ts';
import type { Spark } from '../support/spark.ts';
import { type Columns, type Contents, conditionOf } from './questions.ts';

/** Worked out by Spark itself, so that it reads every value and no document comes back. */
export async function contentsBySpark(
  spark: Spark,
  { table, columns }: { table: string; columns: Columns },
): Promise<Contents> {
  const { key, group, time, content } = columns;
  const [totals] = await spark.sql<[number, number, string, string]>(
    `select count(*), count(distinct ${key}), cast(sum(cast(unix_micros(${time}) as decimal(38))) as string),
       sha2(concat_ws('', array_sort(collect_list(sha2(${content}, 256)))), 256)
     from ${table}`,
  );
  const count = async (by: string) =>
    Object.fromEntries(
      (await spark.sql<[string | number, number]>(`select ${by}, count(*) from ${table} group by 1`)).map(
        ([value, rows]) => [String(value), rows],
      ),
    );
  const [rows, keys, micros, digest] = totals!;
  const days = await count(`date_diff(date(${time}), date'1970-01-01')`);
  return { rows, keys, groups: await count(group), days, micros, digest };
}

export function sparkCondition(table: Table, where: readonly FileFilter[]): string {
  return conditionOf(table, where)
    .replaceAll('\\', '\\\\')
    .replaceAll(/timestamptz '([^']*)\+00'/g, "timestamp '$1+00:00'");
}
