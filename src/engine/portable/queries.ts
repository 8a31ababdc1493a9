/** Queries as Spark reads them: selects, joins, sets and common tables. */
import { identifier } from '../spark/connect/statements.ts';
import type { Expression, Query, Relation } from './parse-tree.ts';
import { ExpressionPrinter } from './printer.ts';

const JOINS: Readonly<Record<string, string>> = {
  INNER: 'join',
  LEFT: 'left join',
  RIGHT: 'right join',
  FULL: 'full join',
  SEMI: 'left semi join',
  ANTI: 'left anti join',
};

const FILTER = '__qualified';

export class QueryPrinter extends ExpressionPrinter {
  readonly #views: ReadonlyMap<string, string>;
  /** Names of common tables, which hide the views of the same name. */
  #common: readonly string[] = [];

  /** Views of the query by their name in lower case, and what Spark knows them by. */
  constructor(views: ReadonlyMap<string, string>) {
    super();
    this.#views = views;
  }

  query(q: Query): string {
    const outer = this.#common;
    const common = q.cte_map.map.map(({ key, value: { aliases, query } }) => {
      const body = this.query(query.node);
      this.#common = [...this.#common, key.toLowerCase()];
      const columns = aliases.length === 0 ? '' : ` (${aliases.map(identifier).join(', ')})`;
      return `${identifier(key)}${columns} as (${body})`;
    });
    const text = this.#body(q);
    this.#common = outer;
    return `${common.length === 0 ? '' : `with ${common.join(', ')} `}${text}`;
  }

  #body(q: Query): string {
    if (q.type === 'SELECT_NODE')
      return q.qualify ? this.#qualified(q) : `${this.#select(q)}${this.#modifiers(q)}`;
    if (q.type === 'SET_OPERATION_NODE') return this.#sets(q);
    return this.problem({ query_location: -1 }, q.type === 'RECURSIVE_CTE_NODE' ? 'WITH RECURSIVE' : q.type);
  }

  #sets(q: Query): string {
    const operator = q.setop_type.toLowerCase();
    if (!['union', 'intersect', 'except'].includes(operator)) {
      return this.problem(
        { query_location: -1 },
        q.setop_type.replaceAll('_', ' '),
        'name the columns, and take UNION',
      );
    }
    return `(${this.query(q.left)}) ${operator}${q.setop_all ? ' all' : ''} (${this.query(q.right)})${this.#modifiers(q)}`;
  }

  #select(q: Query, more: readonly string[] = []): string {
    this.#checkAliases(q);
    const distinct = q.modifiers.find(({ type }) => type === 'DISTINCT_MODIFIER');
    const on = distinct?.distinct_on_targets?.[0];
    if (on !== undefined)
      this.problem(on, 'DISTINCT ON', 'QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) = 1');
    if (q.sample) this.problem({ query_location: -1 }, 'a sample');
    const items = [...q.select_list.map((item) => this.#item(item)), ...more];
    return [
      `select${distinct === undefined ? '' : ' distinct'} ${items.join(', ')}`,
      ...(q.from_table.type === 'EMPTY' ? [] : [`from ${this.#relation(q.from_table)}`]),
      ...(q.where_clause === null ? [] : [`where ${this.#condition(q.where_clause)}`]),
      ...this.#groups(q),
      ...(q.having === null ? [] : [`having ${this.expression(q.having)}`]),
    ].join(' ');
  }

  #item(item: Expression): string {
    if (item.class === 'STAR') return this.#star(item);
    return `${this.expression(item)}${item.alias === '' ? '' : ` as ${identifier(item.alias)}`}`;
  }

  #star(item: Expression): string {
    const more = [item.exclude_list, item.replace_list, item.rename_list];
    if (item.columns || more.some((each) => (each ?? []).length > 0)) return this.expression(item);
    return item.relation_name === '' ? '*' : `${identifier(item.relation_name)}.*`;
  }

  #groups({ aggregate_handling, group_expressions, group_sets }: Query): string[] {
    if (aggregate_handling === 'FORCE_AGGREGATES') return ['group by all'];
    if (group_expressions.length === 0) return [];
    if (group_sets.length > 1 || group_sets[0]?.length !== group_expressions.length)
      this.problem(group_expressions[0]!, 'grouping sets, ROLLUP or CUBE', 'take a UNION ALL of queries');
    return [`group by ${group_expressions.map((each) => this.expression(each)).join(', ')}`];
  }

  /** Spark has no QUALIFY: the condition becomes a column of a query around which another one filters. */
  #qualified(q: Query): string {
    const names = q.select_list.map((item) => item.alias || item.column_names?.at(-1));
    const unnamed = q.select_list.find((_, i) => names[i] === undefined);
    if (unnamed !== undefined)
      return this.problem(unnamed, 'a column without a name beside QUALIFY', 'name it: … as name');
    if (q.modifiers.some(({ type }) => type === 'DISTINCT_MODIFIER'))
      this.problem(q.qualify!, 'DISTINCT beside QUALIFY', 'take the DISTINCT in a query around it');
    const inner = this.#select(q, [`${this.expression(q.qualify!)} as ${FILTER}`]);
    return `select ${names.map((name) => identifier(name!)).join(', ')} from (${inner}) where ${FILTER}${this.#modifiers(q)}`;
  }

  #modifiers({ modifiers }: Query): string {
    return modifiers
      .map((modifier) => {
        if (modifier.type === 'DISTINCT_MODIFIER') return '';
        if (modifier.type === 'ORDER_MODIFIER') {
          return ` order by ${(modifier.orders ?? []).map((each) => this.order(each)).join(', ')}`;
        }
        if (modifier.type !== 'LIMIT_MODIFIER') return this.problem({ query_location: -1 }, modifier.type);
        const limit = modifier.limit ? ` limit ${this.expression(modifier.limit)}` : '';
        return `${limit}${modifier.offset ? ` offset ${this.expression(modifier.offset)}` : ''}`;
      })
      .join('');
  }

  #relation(r: Relation): string {
    if (r.sample) this.problem(r, 'a sample');
    switch (r.type) {
      case 'BASE_TABLE':
        return this.#table(r);
      case 'SUBQUERY':
        return `(${this.query(r.subquery.node)})${alias(r)}`;
      case 'JOIN':
        return this.#join(r);
      case 'EXPRESSION_LIST': {
        const rows = r.values.map((row) => `(${row.map((each) => this.expression(each)).join(', ')})`);
        return `values ${rows.join(', ')}${alias(r)}`;
      }
      default:
        return this.problem(r, NAMES[r.type] ?? r.type.toLowerCase().replaceAll('_', ' '));
    }
  }

  #table(r: Relation): string {
    const name = r.table_name.toLowerCase();
    const known = this.#common.includes(name) ? r.table_name : this.#views.get(name);
    if (r.schema_name !== '' || known === undefined)
      return this.problem(r, `the table ${r.table_name}`, 'a transform reads only what its `from` names');
    return `${identifier(known)}${alias({ ...r, alias: r.alias || r.table_name })}`;
  }

  #join(r: Relation): string {
    const [left, right] = [this.#relation(r.left), this.#relation(r.right)];
    const wrapped = r.right.type === 'JOIN' ? `(${right})` : right;
    if (r.ref_type === 'CROSS') return `${left} cross join ${wrapped}`;
    const join = JOINS[r.join_type];
    if (r.ref_type !== 'REGULAR' || join === undefined)
      return this.problem(
        r,
        `a ${r.ref_type === 'REGULAR' ? r.join_type : r.ref_type} join`,
        'join with ON or USING',
      );
    const on =
      r.using_columns.length > 0
        ? `using (${r.using_columns.map(identifier).join(', ')})`
        : `on ${r.condition === null ? 'true' : this.expression(r.condition)}`;
    return `${left} ${join} ${wrapped} ${on}`;
  }

  /** Of null, IN of a query is null; to Spark it is false, which makes no difference where rows are chosen by it. */
  #condition(e: Expression): string {
    if (e.class === 'CONJUNCTION') {
      const operator = e.type === 'CONJUNCTION_AND' ? ' and ' : ' or ';
      return `(${e.children.map((child) => this.#condition(child)).join(operator)})`;
    }
    const [negated] = e.type === 'OPERATOR_NOT' ? e.children : [];
    if (negated !== undefined && isWithin(negated)) return `(not ${this.#condition(negated)})`;
    return isWithin(e)
      ? `(${this.expression(e.child!)} in (${this.query(e.subquery.node)}))`
      : this.expression(e);
  }

  protected subquery(e: Expression): string {
    const text = this.query(e.subquery.node);
    if (e.subquery_type === 'SCALAR') return `(${text})`;
    if (e.subquery_type === 'EXISTS') return `exists (${text})`;
    if (e.subquery_type === 'NOT_EXISTS') return `(not exists (${text}))`;
    if (isWithin(e))
      return this.problem(
        e,
        'IN of a query outside WHERE',
        'filter by it in a WHERE, or take EXISTS or a join',
      );
    return this.problem(e, 'a comparison with ANY or ALL of a query', 'take IN, or a min or max');
  }

  /** DuckDB lets WHERE name what the select makes; Spark looks only at the tables. */
  #checkAliases({ select_list, where_clause }: Query): void {
    const made = new Set(
      select_list
        .filter(({ alias: name, column_names }) => name !== '' && column_names?.at(-1) !== name)
        .map(({ alias: name }) => name.toLowerCase()),
    );
    for (const e of columnsIn(where_clause)) {
      const name = e.column_names[0]!;
      if (e.column_names.length === 1 && made.has(name.toLowerCase()))
        this.problem(
          e,
          `the column ${name} of the same SELECT in WHERE`,
          'repeat the expression, or filter in a query around it',
        );
    }
  }
}

const NAMES: Readonly<Record<string, string>> = {
  TABLE_FUNCTION: 'a function as a table',
  PIVOT: 'PIVOT',
  SHOW_REF: 'DESCRIBE, SHOW or SUMMARIZE',
};

const isWithin = (e: Expression): boolean =>
  e.class === 'SUBQUERY' && e.subquery_type === 'ANY' && e.comparison_type === 'COMPARE_EQUAL';

function alias({ alias: name, column_name_alias: columns }: Relation): string {
  if (name === '') return '';
  const named = (columns ?? []).length === 0 ? '' : ` (${columns.map(identifier).join(', ')})`;
  return ` as ${identifier(name)}${named}`;
}

/** Columns that an expression names, those of queries inside it aside. */
function columnsIn(node: unknown): Expression[] {
  if (Array.isArray(node)) return node.flatMap(columnsIn);
  if (typeof node !== 'object' || node === null) return [];
  const e = node as Expression;
  if (e.class === 'COLUMN_REF') return [e];
  if (e.class === 'SUBQUERY') return columnsIn(e.child);
  return Object.values(e).flatMap(columnsIn);
}
