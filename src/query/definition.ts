import { sqlType, type ViewDefinition } from '../engine/engine.ts';
import type { DataFile, Schema, Table } from '../lake/lake.ts';

/** Files that were added without field ids are found by the table's name mapping; ours and most others have ids. */
const NAME_MAPPING = 'schema.name-mapping.default';

/** A table's columns over some of its files, under a name such as `raw.events`. */
export function definition(
  view: string,
  { schema, table }: { schema: Schema; table: Table | undefined },
  files: readonly DataFile[],
): ViewDefinition {
  const dot = view.lastIndexOf('.');
  const byName = table?.metadata.properties[NAME_MAPPING] !== undefined;
  return {
    schema: view.slice(0, dot),
    name: view.slice(dot + 1),
    files,
    columns: schema.fields.map(({ id, name, type }) => ({
      name,
      type: sqlType(type),
      ...(byName ? {} : { id }),
    })),
  };
}
