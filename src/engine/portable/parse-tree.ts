/** DuckDB's own parse of a query (`json_serialize_sql`), as far as it is read here. */
import { parseJson } from '../../base/base.ts';
import { literal } from '../duckdb/sql.ts';

export interface ColumnType {
  id: string;
  /** `name`, of a type that DuckDB looks up later. */
  type_info: { width?: number; scale?: number; name?: string } | null;
}

/** Of any class; which parts are there depends on `class` and `type`. */
export interface Expression {
  class: string;
  type: string;
  alias: string;
  /** Bytes before it; beyond the text where DuckDB made the node itself. */
  query_location: number | bigint;
  function_name: string;
  column_names: readonly string[];
  children: readonly Expression[];
  value: { type: ColumnType; is_null: boolean; value?: unknown };
  cast_type: ColumnType;
  try_cast: boolean;
  child: Expression | null;
  left: Expression;
  right: Expression;
  input: Expression;
  lower: Expression;
  upper: Expression;
  case_checks: readonly { when_expr: Expression; then_expr: Expression }[];
  else_expr: Expression;
  filter: Expression | null;
  filter_expr: Expression | null;
  distinct: boolean;
  order_bys: { orders: readonly Order[] };
  subquery_type: string;
  subquery: { node: Query };
  comparison_type: string;
  partitions: readonly Expression[];
  orders: readonly Order[];
  arg_orders: readonly Order[];
  start: string;
  end: string;
  start_expr: Expression | null;
  end_expr: Expression | null;
  offset_expr: Expression | null;
  default_expr: Expression | null;
  ignore_nulls: boolean;
  exclude_clause: string;
  columns: boolean;
  relation_name: string;
  exclude_list: readonly unknown[];
  replace_list: readonly unknown[];
  rename_list: readonly unknown[];
}

export interface Order {
  type: string;
  null_order: string;
  expression: Expression;
}

export interface Relation {
  type: string;
  alias: string;
  sample: unknown;
  query_location: number | bigint;
  schema_name: string;
  table_name: string;
  column_name_alias: readonly string[];
  left: Relation;
  right: Relation;
  condition: Expression | null;
  join_type: string;
  ref_type: string;
  using_columns: readonly string[];
  subquery: { node: Query };
  values: readonly (readonly Expression[])[];
}

export interface Query {
  type: string;
  modifiers: readonly {
    type: string;
    orders?: readonly Order[];
    limit?: Expression | null;
    offset?: Expression | null;
    distinct_on_targets?: readonly Expression[];
  }[];
  cte_map: {
    map: readonly { key: string; value: { aliases: readonly string[]; query: { node: Query } } }[];
  };
  select_list: readonly Expression[];
  from_table: Relation;
  where_clause: Expression | null;
  group_expressions: readonly Expression[];
  group_sets: readonly (readonly number[])[];
  aggregate_handling: string;
  having: Expression | null;
  qualify: Expression | null;
  sample: unknown;
  setop_type: string;
  setop_all: boolean;
  left: Query;
  right: Query;
}

/** The statement that asks DuckDB for the tree. */
export const treeStatement = (sql: string): string => `select json_serialize_sql(${literal(sql)})`;

/** Undefined for what is not one query. */
export function treeOf(answer: string): Query | undefined {
  const parsed = parseJson(answer) as unknown as { error: boolean; statements?: { node: Query }[] };
  return parsed.error || parsed.statements?.length !== 1 ? undefined : parsed.statements[0]!.node;
}

/** Line and column, both from 1, of so many bytes into the text; undefined beyond it. */
export function placeOf(
  sql: string,
  at_bytes: number | bigint,
): { line: number; column: number } | undefined {
  const bytes = Buffer.from(sql);
  if (BigInt(at_bytes) > BigInt(bytes.length)) return undefined;
  const before = bytes.subarray(0, Number(at_bytes)).toString().split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
