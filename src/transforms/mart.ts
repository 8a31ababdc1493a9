/** A transform's table: made from what its query gives, and held against it at every run. */
import { Failure } from '../base/base.ts';
import type { Engine, SourceView } from '../engine/engine.ts';
import { currentFields, type Field, type Table, type TableDefinition } from '../lake/lake.ts';
import { firstCommit, TRANSFORM_KEY } from '../tables/tables.ts';
import type { Transform } from './define.ts';
import { definitionHash, martProperty, martRecord } from './record.ts';
import { martName, type OpenSource, sourceViews } from './sources.ts';
import type { TransformsOptions } from './transforms.ts';

export interface Mart {
  transform: Transform;
  table: Table;
  /** The table's columns, with its own ids. */
  fields: readonly Field[];
  /** What the query gives, by name and type. */
  wanted: readonly Field[];
  definition: string;
}

const DOCS = 'docs/reference/transforms.md';

export async function openMart(
  options: TransformsOptions,
  transform: Transform,
  sources: readonly OpenSource[],
): Promise<Mart> {
  const { lake, engine, newId, writer } = options;
  const name = martName(transform.name);
  const views = sources.flatMap((source) => sourceViews(source, { planned: new Map() }));
  const wanted = await outputFields(engine, transform, views);
  const definition = definitionHash(transform);
  const table =
    (await lake.load(name)) ??
    (await lake.create(name, tableOf(transform, wanted, definition), {
      commitId: newId(),
      stage: firstCommit(writer),
    }));
  checkOwner(table);
  return { transform, table, fields: currentFields(table.metadata), wanted, definition };
}

/** The columns of the query, by the engine, with the types that the definition sets. */
export async function outputFields(
  engine: Engine,
  transform: Transform,
  views: readonly SourceView[],
): Promise<Field[]> {
  const given = await engine.outputColumns({ name: transform.name, views, sql: transform.sql });
  const names = new Set<string>();
  const declared = transform.columns ?? {};
  const absent = Object.keys(declared).find((name) => !given.some((column) => column.name === name));
  if (absent !== undefined) {
    throw columnFailure(transform, absent, {
      why: `columns gives it a type, and the query gives ${given.map((c) => c.name).join(', ')}`,
      hint: 'give the column this name in the SQL, or leave it out of columns',
    });
  }
  const fields = given.map(({ name, given: engineType, type }, i): Field => {
    checkName(transform, name, names);
    const set = declared[name] ?? type;
    if (set === undefined) throw unsupported(transform, { name, engineType });
    return { id: i + 1, name, type: set, required: false };
  });
  checkPartition(transform, fields);
  return fields;
}

function checkName(transform: Transform, name: string, names: Set<string>): void {
  const lower = name.toLowerCase();
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.startsWith('__')) {
    throw columnFailure(transform, name, {
      why: 'a column name that every reader takes has letters, digits and _, and does not begin with a digit or __',
      hint: 'name it in the SQL: … as learners',
    });
  }
  if (names.has(lower)) {
    throw columnFailure(transform, name, {
      why: 'two columns of the query have this name; some readers do not tell upper and lower case apart',
      hint: 'name one of them differently: … as other_name',
    });
  }
  names.add(lower);
}

function checkPartition(transform: Transform, fields: readonly Field[]): void {
  const { partition } = transform;
  if (partition === undefined) return;
  const field = fields.find(({ name }) => name === partition);
  if (field === undefined) {
    throw columnFailure(transform, partition, {
      why: `it is to be the partition, and the query gives ${fields.map(({ name }) => name).join(', ')}`,
      hint: `select created_datetime::date as ${partition}, …`,
    });
  }
  if (['date', 'timestamp', 'timestamptz'].includes(field.type)) return;
  throw columnFailure(transform, partition, {
    why: `it is to be the partition, and is of type ${field.type}`,
    hint: `a partition is a day: created_datetime::date as ${partition}`,
  });
}

function unsupported(
  transform: Transform,
  { name, engineType }: { name: string; engineType: string },
): Failure {
  const nested = /\[\d*\]$|^(STRUCT|MAP|UNION)\(/.test(engineType);
  return columnFailure(transform, name, {
    why: `it is of type ${engineType}, which no column of a mart can hold`,
    hint: nested
      ? `keep it as JSON: to_json(${name})::varchar as ${name}`
      : `cast it: ${name}::bigint, ${name}::double, ${name}::varchar …`,
  });
}

export function columnFailure(
  { name }: Transform,
  column: string,
  details: { why: string; hint: string },
): Failure {
  return new Failure(`transform ${name}: its column ${column} cannot be used`, {
    code: 'transform.bad_column',
    fault: 'user',
    docs: DOCS,
    ...details,
  });
}

function tableOf(transform: Transform, fields: readonly Field[], definition: string): TableDefinition {
  const day = fields.find(({ name }) => name === transform.partition);
  return {
    schema: { fields },
    partition:
      day === undefined
        ? []
        : [
            day.type === 'date'
              ? { source: day.id, id: 1000, name: day.name, transform: 'identity' }
              : { source: day.id, id: 1000, name: `${day.name}_day`, transform: 'day' },
          ],
    sort: [],
    properties: { [TRANSFORM_KEY]: martProperty({ definition, outdated: [] }) },
  };
}

function checkOwner(table: Table): void {
  if (martRecord(table) !== undefined) return;
  throw new Failure(`cannot write to ${table.name}`, {
    code: 'transform.table_taken',
    fault: 'user',
    why: 'the table is there, and no transform made it',
    hint: 'give the transform another name, or drop the table with the program that made it',
    docs: DOCS,
  });
}
