/**
 * A table whose query gives other columns than it has. New columns are added, and a type that holds every value of the
 * old one takes its place: rows that are there stay as they are. Anything else would be another table.
 */
import type { Field, Schema, Table, Type } from '../lake/lake.ts';
import { advance, TRANSFORM_KEY } from '../tables/tables.ts';
import { columnFailure, type Mart } from './mart.ts';
import { runSummary } from './record.ts';
import { fieldsOf } from './sources.ts';
import type { TransformsOptions } from './transforms.ts';

/** The mart with the columns that its query gives, or `refused` where another changed the table at the same time. */
export async function evolved(options: TransformsOptions, mart: Mart): Promise<Mart | 'refused'> {
  const schema = nextSchema(mart);
  if (schema === undefined) return mart;
  const { lake, newId, writer } = options;
  const { table, definition } = mart;
  const before = table.metadata['current-schema-id'];
  const outcome = await lake.commit(table, {
    commitId: newId(),
    operation: 'replace',
    manifests: [],
    schema,
    stage: (base, attempt) => {
      if (base.metadata['current-schema-id'] !== before)
        return { refused: 'its columns were changed meanwhile' };
      const staged = advance(base, attempt, { writer });
      if ('refused' in staged) return staged;
      const run = { definition, days: [], rows: 0, removed: 0, read: { files: 0, bytes: 0 }, took_ms: 0 };
      const summary = { ...staged.summary, [TRANSFORM_KEY]: runSummary({ kind: 'schema', ...run }) };
      return { ...staged, summary };
    },
  });
  if (outcome.kind !== 'committed') return 'refused';
  return { ...mart, table: outcome.table, fields: fieldsOf(outcome.table) };
}

/** Undefined when the table has the columns already. Throws where they cannot be made from those it has. */
function nextSchema({ transform, table, wanted }: Mart): Schema | undefined {
  const has = fieldsOf(table);
  const gone = has.find(({ name }) => !wanted.some((field) => field.name === name));
  if (gone !== undefined) throw differs(transform, { table, name: gone.name, was: gone.type, is: undefined });
  let isSame = true;
  const kept = has.map((field): Field => {
    const is = wanted.find(({ name }) => name === field.name)!.type;
    if (is === field.type) return field;
    if (!widens(field.type, is)) throw differs(transform, { table, name: field.name, was: field.type, is });
    isSame = false;
    return { ...field, type: is };
  });
  let id = table.metadata['last-column-id'];
  const added = wanted.flatMap((field) =>
    has.some(({ name }) => name === field.name) ? [] : [{ ...field, id: ++id }],
  );
  return isSame && added.length === 0 ? undefined : { fields: [...kept, ...added] };
}

/** Iceberg's own list of types that a column may be given: no file has to be written anew. */
function widens(was: Type, is: Type): boolean {
  if (was === 'int' && is === 'long') return true;
  if (was === 'float' && is === 'double') return true;
  const decimal = /^decimal\((\d+), ?(\d+)\)$/;
  const [from, to] = [decimal.exec(was), decimal.exec(is)];
  return from !== null && to !== null && from[2] === to[2] && Number(to[1]) > Number(from[1]);
}

function differs(
  transform: Mart['transform'],
  { table, name, was, is }: { table: Table; name: string; was: Type; is: Type | undefined },
) {
  return columnFailure(transform, name, {
    why: `${table.name} has it as ${was}, and the query ${is === undefined ? 'does not give it any more' : `gives ${is}`}`,
    hint:
      is === undefined
        ? `give it as null: null::${was} as ${name}; or take another name for the transform, whose table is then made anew`
        : `keep the type (columns: { ${name}: '${was}' }), or take another name for the transform, whose table is then made anew`,
  });
}
