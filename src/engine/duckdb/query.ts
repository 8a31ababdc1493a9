/**
 * Views and queries for people. Planning happens in a second, empty instance whose tables have the views' columns:
 * there the optimizer says what each scan filters by, before any file is named.
 */
import { type DuckDBConnection, DuckDBInstance, type Json } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { Cell, QueryResult, ScanFilters, ViewDefinition } from '../engine.ts';
import { filtersOf, type PlanNode } from './plan-filters.ts';
import { identifier, list } from './sql.ts';

export async function defineViews(c: DuckDBConnection, views: readonly ViewDefinition[]): Promise<void> {
  for (const view of views) {
    await c.run(`create schema if not exists ${identifier(view.schema)}`);
    const name = `${identifier(view.schema)}.${identifier(view.name)}`;
    const columns = view.columns.map((col) => identifier(col.name)).join(', ');
    const empty = view.columns.map((col) => `null::${col.type} as ${identifier(col.name)}`).join(', ');
    await c.run(
      view.paths.length === 0
        ? `create or replace view ${name} as select ${empty} where false`
        : `create or replace view ${name} as select ${columns} from read_parquet(${list(view.paths)}, union_by_name = true)`,
    );
  }
}

export async function query(c: DuckDBConnection, sql: string): Promise<QueryResult> {
  const result = await c.stream(sql).catch((error: unknown) => {
    throw queryFailure(error);
  });
  const types = result.columnTypes().map(String);
  const numeric = types.map((type) => /^(U?BIGINT|HUGEINT|UHUGEINT)$/.test(type));
  return {
    columns: result.columnNames().map((name, i) => ({ name, type: types[i]! })),
    async *chunks() {
      try {
        for await (const rows of result.yieldRowsJson()) {
          yield rows.map((row) => row.map((value, i) => (numeric[i] ? asNumber(value) : (value as Cell))));
        }
      } catch (error) {
        throw queryFailure(error);
      }
    },
  };
}

/** 64-bit integers come as text; those that a number holds exactly become numbers, as every JSON reader expects. */
function asNumber(value: Json): Cell {
  const number = Number(value);
  return value !== null && Number.isSafeInteger(number) ? number : (value as Cell);
}

export function planner() {
  let opened: Promise<{ instance: DuckDBInstance; c: DuckDBConnection }> | undefined;
  const open = async () => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const c = await instance.connect();
    await c.run("set timezone = 'UTC'");
    // Empty tables would otherwise be optimized away, filters and all.
    await c.run(
      "set disabled_optimizers = 'statistics_propagation,empty_result_pullup,join_order,late_materialization'",
    );
    return { instance, c };
  };
  const connection = () => (opened ??= open());

  return {
    async define(views: readonly ViewDefinition[]): Promise<void> {
      const { c } = await connection();
      for (const view of views) {
        await c.run(`create schema if not exists ${identifier(view.schema)}`);
        const columns = view.columns.map((col) => `${identifier(col.name)} ${col.type}`).join(', ');
        await c.run(
          `create or replace table ${identifier(view.schema)}.${identifier(view.name)} (${columns})`,
        );
      }
    },
    /** An empty list when the statement is nothing that can be explained. */
    async scanFilters(sql: string): Promise<ScanFilters[]> {
      const { c } = await connection();
      try {
        const rows = (await c.runAndReadAll(`explain (format json) ${sql}`)).getRowsJson();
        return filtersOf(JSON.parse(String(rows[0]![1])) as PlanNode[]);
      } catch (error) {
        throw queryFailure(error);
      }
    },
    close(): void {
      void opened?.then(({ instance, c }) => {
        c.closeSync();
        instance.closeSync();
      });
    },
  };
}

function queryFailure(error: unknown): Failure {
  const text = error instanceof Error ? error.message : String(error);
  return new Failure('the query did not run', {
    code: 'query.failed',
    fault: 'user',
    why: text.trim(),
    hint: 'the tables are raw.events, staging.events and quarantine.events; `lakeward tables raw.events` shows columns',
    docs: 'docs/reference/cli.md',
    cause: error,
  });
}
