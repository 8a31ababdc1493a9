/** The questions of `questions.ts`, as Spark is asked them. */
import { expect } from 'vitest';
import type { FileFilter, Table } from '../../src/lake/lake.ts';
import type { Spark } from '../support/spark.ts';
import { ASKED, type Columns, type Contents, conditionOf, type Question } from './questions.ts';
import type { WrittenLake } from './written-lake.ts';

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

function sparkCondition(table: Table, where: readonly FileFilter[]): string {
  return conditionOf(table, where)
    .replaceAll('\\', '\\\\')
    .replaceAll(/timestamptz '([^']*)\+00'/g, "timestamp '$1+00:00'");
}

/** That it opens the files that we open for each question, and finds the rows that we find. Which files those are. */
export async function expectPrunedBySpark(
  spark: Spark,
  { written, name, at }: { written: WrittenLake; name: string; at: string },
): Promise<(Question & { files: readonly string[] })[]> {
  const table = await written.table(name);
  const asked: (Question & { files: readonly string[] })[] = [];
  for (const question of ASKED[name]!.questions) {
    const { about, where } = question;
    const ours = (await written.lake.files(table, { where })).files.map(({ location }) => location).sort();
    const condition = sparkCondition(table, where);
    const files = await spark.filesOf(`select * from ${at} where ${condition}`);
    const [[rows]] = (await spark.sql<[number]>(`select count(*) from ${at} where ${condition}`)) as [
      [number],
    ];
    const [[counted]] = (await written.rows(name, 'count(*)', `where ${conditionOf(table, where)}`)) as [
      [number],
    ];
    expect({ about, files, rows }).toEqual({ about, files: ours, rows: counted });
    asked.push({ ...question, files });
  }
  return asked;
}
