/**
 * Our columns in a table as it is now. A column is its field id: other programs may rename it, widen it, move it and add
 * others beside it, and rows are written under the names and types that the table then has.
 */
import { Failure } from '../base/base.ts';
import { currentFields, type Field, type Table, type TableDefinition, widens } from '../lake/lake.ts';

export interface Target {
  /** The definition's columns, in its order, as the table has them. */
  columns: readonly Field[];
  properties: Readonly<Record<string, string>>;
}

/**
 * What an engine is told of the table that it writes for. Throws a Failure of fault user where rows of ours would
 * not fit: `tables.column_dropped`, `tables.column_type`, `tables.column_required`.
 */
export function targetOf(table: Table, { schema }: TableDefinition): Target {
  const fields = currentFields(table.metadata);
  const ours = new Set(schema.fields.map(({ id }) => id));
  const foreign = fields.find(({ id, required }) => required && !ours.has(id));
  if (foreign !== undefined) throw columnRequired(table, foreign.name);
  const columns = schema.fields.map((field) => {
    const has = fields.find(({ id }) => id === field.id);
    if (has === undefined) throw columnDropped(table, field);
    if (has.type !== field.type && !widens(field.type, has.type)) throw typeChanged(table, { field, has });
    return has;
  });
  return { columns, properties: table.metadata.properties };
}

const DOCS = 'docs/reference/tables.md';

function columnDropped(table: Table, { id, name }: Field): Failure {
  const had = table.metadata.schemas
    .filter((schema) => schema.fields.some((field) => field.id === id))
    .at(-1);
  return new Failure(`cannot write to ${table.name}: its column ${name} is gone`, {
    code: 'tables.column_dropped',
    fault: 'user',
    why: `another program dropped the column of field id ${id}, and every row that is written has it`,
    hint:
      had === undefined
        ? 'restore a metadata file of the table from before that'
        : `make schema ${had['schema-id']} of the table the current one again: it has the column, and no file was changed`,
    docs: DOCS,
  });
}

function columnRequired(table: Table, name: string): Failure {
  return new Failure(`cannot write to ${table.name}: its column ${name} is required`, {
    code: 'tables.column_required',
    fault: 'user',
    why: 'another program added the column, and rows written here have no value for it',
    hint: `make it optional: ALTER TABLE ${table.name} ALTER COLUMN ${name} DROP NOT NULL`,
    docs: DOCS,
  });
}

function typeChanged(table: Table, { field, has }: { field: Field; has: Field }): Failure {
  return new Failure(`cannot write to ${table.name}: its column ${has.name} is of type ${String(has.type)}`, {
    code: 'tables.column_type',
    fault: 'user',
    why: `rows have it as ${field.type}, and a column of field id ${field.id} may only become wider`,
    hint: 'restore a metadata file of the table from before that change',
    docs: DOCS,
  });
}
