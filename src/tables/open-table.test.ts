import { expect, test } from 'vitest';
import { editTable, loaded } from '../../tests/support/edited-table.ts';
import { smallLake } from '../../tests/support/small-lake.ts';
import type { TableDefinition } from '../lake/lake.ts';
import { openTable, RAW, RAW_NAME, tableState } from './tables.ts';

const around = { writer: 'test', newId: () => crypto.randomUUID() };
const open = (lake: Parameters<typeof openTable>[0], definition: TableDefinition) =>
  openTable(lake, RAW_NAME, { definition, ...around });

/** As a later version would have it. */
const LATER: TableDefinition = {
  ...RAW,
  schema: {
    fields: [
      ...RAW.schema.fields,
      { id: 13, name: 'region', type: 'string', required: false, doc: 'of the stream' },
      { id: 14, name: 'attempt', type: 'int', required: false },
    ],
  },
};

const columns = ({ metadata }: Awaited<ReturnType<typeof openTable>>) =>
  metadata.schemas.find((s) => s['schema-id'] === metadata['current-schema-id'])!.fields;

test('a table of an older version gets the columns that it lacks, once', async () => {
  const { lake } = smallLake();
  await open(lake, RAW);
  const upgraded = await open(lake, LATER);
  expect(columns(upgraded)).toEqual(LATER.schema.fields);
  expect(upgraded.metadata['last-column-id']).toBe(14);
  expect(tableState(upgraded).foreignRows).toBe(0);
  const again = await open(lake, LATER);
  expect(again.metadataLocation).toBe(upgraded.metadataLocation);
  // An older process beside it goes on.
  expect((await open(lake, RAW)).metadataLocation).toBe(upgraded.metadataLocation);
});

test('two that open it at once agree', async () => {
  const { lake } = smallLake();
  await open(lake, RAW);
  const both = await Promise.all([open(lake, LATER), open(lake, LATER)]);
  for (const table of both) expect(columns(table)).toEqual(LATER.schema.fields);
  expect((await loaded(lake, RAW_NAME)).metadata.schemas).toHaveLength(2);
});

test('a table that is made has them all, and a column dropped from it is not added again', async () => {
  const { lake, catalog } = smallLake();
  await open(lake, LATER);
  const dropped = await editTable({ lake, catalog }, RAW_NAME, (metadata) => {
    metadata.schemas = metadata.schemas.map((schema) => ({
      ...schema,
      fields: schema.fields.filter(({ id }) => id !== 13),
    }));
  });
  expect((await open(lake, LATER)).metadataLocation).toBe(dropped.metadataLocation);
});

test('a column of another program is never taken for ours', async () => {
  const { lake, catalog } = smallLake();
  await open(lake, RAW);
  await editTable({ lake, catalog }, RAW_NAME, (metadata) => {
    const note = { id: 13, name: 'note', type: 'string', required: false };
    metadata.schemas = metadata.schemas.map((schema) => ({ ...schema, fields: [...schema.fields, note] }));
    metadata['last-column-id'] = 13;
  });
  await expect(open(lake, LATER)).rejects.toMatchObject({
    code: 'tables.column_id_taken',
    why: expect.stringContaining('its field id 13 is taken'),
  });
});
