/**
 * A table whose query gives other columns than it has. New columns are added, and a type that holds every value of the
 * old one takes its place: rows that are there stay as they are. Anything else would be another table.
 */
import { currentFields, evolveSchema, type SchemaStep, type Table, type Type, widens } from '../lake/lake.ts';
import { advance, TRANSFORM_KEY } from '../tables/tables.ts';
import { columnFailure, type Mart } from './mart.ts';
import { runSummary } from './record.ts';
import type { TransformsOptions } from './transforms.ts';

/** The mart with the columns that its query gives, or `refused` where another changed the table at the same time. */
export async function evolved(options: TransformsOptions, mart: Mart): Promise<Mart | 'refused'> {
  const steps = stepsOf(mart);
  if (steps.length === 0) return mart;
  const { lake, newId, writer } = options;
  const { table, definition } = mart;
  const before = table.metadata['current-schema-id'];
  const outcome = await lake.commit(table, {
    commitId: newId(),
    operation: 'replace',
    manifests: [],
    schema: evolveSchema(table.metadata, steps),
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
  return { ...mart, table: outcome.table, fields: currentFields(outcome.table.metadata) };
}

/** Throws what `evolved` would, and changes nothing. */
export function checkColumns(mart: Mart): void {
  stepsOf(mart);
}

/** None when the table has the columns already. Throws where they cannot be made from those it has. */
function stepsOf({ transform, table, fields: has, wanted }: Mart): SchemaStep[] {
  const gone = has.find(({ name }) => !wanted.some((field) => field.name === name));
  if (gone !== undefined) throw differs(transform, { table, name: gone.name, was: gone.type, is: undefined });
  return wanted.flatMap(({ name, type: is }): SchemaStep[] => {
    const was = has.find((field) => field.name === name)?.type;
    if (was === undefined) return [{ add: name, type: is }];
    if (is === was) return [];
    if (!widens(was, is)) throw differs(transform, { table, name, was, is });
    return [{ widen: name, to: is }];
  });
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
