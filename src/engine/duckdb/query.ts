/**
 * Queries for people. Planning happens in a second, empty instance whose tables have the views' columns:
 * there the optimizer says what each scan filters by, before any file is named.
 */
import {
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBIntervalValue,
  type DuckDBResult,
  type DuckDBValueConverter,
  type Json,
  JsonDuckDBValueConverter,
} from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import type { Cell, QueryResult, ScanFilters, ViewDefinition } from '../engine.ts';
import { interruptible } from './interruptible.ts';
import { filtersOf, type PlanNode } from './plan-filters.ts';
import { questionOf } from './question.ts';
import { identifier } from './sql.ts';
import { endedWell, streamed } from './stream.ts';

/** Each query has a connection of its own: an answer that is still being read does not end with the next question. */
export async function query(
  { connect, hold }: { connect: () => Promise<DuckDBConnection>; hold: () => () => void },
  sql: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<QueryResult> {
  // Before anything is waited for: the views may be defined anew meanwhile.
  const release = hold();
  const c = await connect().catch((error: unknown) => {
    release();
    throw error;
  });
  const settled = interruptible(c, signal);
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    settled();
    c.closeSync();
    release();
  };
  try {
    signal?.throwIfAborted();
    const result = await streamed(c, sql);
    const types = result.columnTypes().map(String);
    return {
      columns: result.columnNames().map((name, i) => ({ name, type: types[i]! })),
      close: end,
      async *chunks() {
        try {
          yield* cells(result, types);
          signal?.throwIfAborted();
          await endedWell(c, sql);
        } catch (error) {
          throw signal?.aborted ? interrupted(error) : queryFailure(error);
        } finally {
          end();
        }
      },
    };
  } catch (error) {
    end();
    throw signal?.aborted ? interrupted(error) : queryFailure(error);
  }
}

async function* cells(result: DuckDBResult, types: readonly string[]): AsyncGenerator<Cell[][]> {
  const numeric = types.map((type) => /^(U?BIGINT|HUGEINT|UHUGEINT)$/.test(type));
  for await (const rows of result.yieldConvertedRows(asJson)) {
    yield rows.map((row) => row.map((value, i) => (numeric[i] ? asNumber(value) : (value as Cell))));
  }
}

/** Intervals as the text that DuckDB prints, as times are, and not as three figures. */
const asJson: DuckDBValueConverter<Json> = (value, type, converter) =>
  value instanceof DuckDBIntervalValue ? String(value) : JsonDuckDBValueConverter(value, type, converter);

/** 64-bit integers come as text; those that a number holds exactly become numbers, as every JSON reader expects. */
function asNumber(value: Json): Cell {
  const number = Number(value);
  return value !== null && Number.isSafeInteger(number) ? number : (value as Cell);
}

export function planner() {
  let opened: Promise<{ instance: DuckDBInstance; c: DuckDBConnection }> | undefined;
  const types = new Map<string, ReadonlyMap<string, string>>();
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
        types.set(`${view.schema}.${view.name}`, new Map(view.columns.map(({ name, type }) => [name, type])));
      }
    },
    async drop(views: readonly Pick<ViewDefinition, 'schema' | 'name'>[]): Promise<void> {
      const { c } = await connection();
      for (const { schema, name } of views) {
        if (types.delete(`${schema}.${name}`))
          await c.run(`drop table if exists ${identifier(schema)}.${identifier(name)}`);
      }
    },
    async scanFilters(sql: string): Promise<ScanFilters[]> {
      const { c } = await connection();
      try {
        const question = await questionOf(c, sql);
        // Its plan depends on the values; the empty tables here have none.
        if (question === 'pivot') return [...types.keys()].map((view) => ({ view, filters: [] }));
        const rows = (await c.runAndReadAll(`${EXPLAIN}${question.planned}`)).getRowsJson();
        const plan = JSON.parse(String(rows[0]![1])) as PlanNode[];
        return filtersOf(plan, {
          type: (view, column) => types.get(view)?.get(column),
          columns: (view) => [...(types.get(view)?.keys() ?? [])],
        });
      } catch (error) {
        throw queryFailure(error, asWritten);
      }
    },
    close(): void {
      void opened?.then(
        ({ instance, c }) => {
          c.closeSync();
          instance.closeSync();
        },
        () => {},
      );
    },
  };
}

function interrupted(cause: unknown): Failure {
  return new Failure('the query was interrupted', {
    code: 'query.interrupted',
    fault: 'user',
    why: 'it was stopped before it had its answer',
    hint: 'a filter on created_datetime or event_type makes it read fewer files',
    cause,
  });
}

/** A line of its own, so that the engine shows the place of a mistake in the lines as they were written. */
const EXPLAIN = 'explain (format json)\n';

/** The engine's message about an explained question, with the lines counted without `EXPLAIN`. */
const asWritten = (message: string): string =>
  message.replace(/^LINE (\d+): /m, (label, line) => `LINE ${Number(line) - 1}: `.padEnd(label.length));

function queryFailure(error: unknown, rewritten = (message: string) => message): Failure {
  if (error instanceof Failure) return error;
  const text = rewritten(error instanceof Error ? error.message : String(error));
  return new Failure('the query did not run', {
    code: 'query.failed',
    fault: 'user',
    why: text.trim(),
    ...(text.startsWith('IO Error')
      ? {
          hint: 'of a file of the lake, `lakeward verify` says what is wrong with it',
          docs: 'docs/how-to/fix-what-verify-finds.md',
        }
      : {
          hint: '`lakeward tables` lists the tables, `lakeward tables staging.events` the columns of one',
          docs: 'docs/reference/cli.md',
        }),
    cause: error,
  });
}
