/**
 * A table of ours, opened for writing. The first to open it makes it; a table that an older Lakeward made gets the
 * columns that the definition has more. A property says up to which field id the columns are ours: ids above it may have
 * gone to columns of other programs.
 */
import { Failure } from '../base/base.ts';
import {
  evolveSchema,
  type Field,
  type Lake,
  type Table,
  type TableDefinition,
  type TableName,
} from '../lake/lake.ts';
import { advance, firstCommit } from './advance.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME } from './definitions.ts';

export interface Opening {
  definition: TableDefinition;
  writer: string;
  newId: () => string;
}

/** Overtaken this often, others are changing the schema all the time. */
const ATTEMPTS = 5;

export async function openTable(lake: Lake, name: TableName, opening: Opening): Promise<Table> {
  const { definition, writer, newId } = opening;
  const created = { ...definition, properties: { ...definition.properties, ...ownUpTo(name, definition) } };
  let table = await lake.create(name, created, { commitId: newId(), stage: firstCommit(writer) });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const missing = missingColumns(table, definition);
    if (missing.length === 0) return table;
    const schema = evolveSchema(
      table.metadata,
      missing.map(({ name: add, type, doc }) => ({ add, type, ...(doc !== undefined && { doc }) })),
    );
    const before = table.metadata['current-schema-id'];
    const outcome = await lake.commit(table, {
      commitId: newId(),
      operation: 'replace',
      manifests: [],
      schema,
      stage(base, attempt) {
        if (base.metadata['current-schema-id'] !== before)
          return { refused: 'its columns were changed meanwhile' };
        const staged = advance(base, attempt, { writer });
        if ('refused' in staged) return staged;
        return { ...staged, properties: { ...staged.properties, ...ownUpTo(name, definition) } };
      },
    });
    table = outcome.table;
  }
  throw new Failure(`cannot add the new columns of ${name}`, {
    code: 'tables.schema_contended',
    fault: 'service',
    retry: 'backoff',
    why: `other programs changed its columns ${ATTEMPTS} times in a row`,
  });
}

const COLUMNS_KEY = 'lakeward.columns';
/** What the tables of the first version have, which say nothing of it. */
const FIRST_COLUMNS: Readonly<Record<TableName, number>> = {
  [RAW_NAME]: 12,
  [STAGING_NAME]: 12,
  [QUARANTINE_NAME]: 8,
};

function ownUpTo(name: TableName, { schema }: TableDefinition): Record<string, string> {
  const highest = Math.max(...schema.fields.map(({ id }) => id));
  return highest > (FIRST_COLUMNS[name] ?? 0) ? { [COLUMNS_KEY]: String(highest) } : {};
}

/** Those that the table was not made with. One that it was made with and has not, somebody dropped. */
function missingColumns({ name, metadata }: Table, { schema }: TableDefinition): readonly Field[] {
  const upTo = Number(metadata.properties[COLUMNS_KEY] ?? FIRST_COLUMNS[name] ?? 0);
  const missing = schema.fields.filter(({ id }) => id > upTo).toSorted((a, b) => a.id - b.id);
  const next = metadata['last-column-id'] + 1;
  const taken = missing.find(({ id }, at) => id !== next + at);
  if (taken === undefined) return missing;
  throw new Failure(`cannot add the column ${taken.name} to ${name}`, {
    code: 'tables.column_id_taken',
    fault: 'user',
    why: `other programs added columns of their own: its field id ${taken.id} is taken, the next free one is ${next}`,
    hint: 'restore a metadata file of the table from before that, start Lakeward once, and add them again',
    docs: 'docs/reference/tables.md',
  });
}
