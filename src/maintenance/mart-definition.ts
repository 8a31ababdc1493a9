/** A mart as its own metadata has it: its query decided its columns, and no other definition exists. */
import { currentFields, type PartitionField, type Table, type TableDefinition } from '../lake/lake.ts';

export function martDefinition({ metadata }: Table): TableDefinition {
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === 0);
  return {
    schema: { fields: currentFields(metadata) },
    partition: (spec?.fields ?? []).map((field) => ({
      source: field['source-id'],
      id: field['field-id'],
      name: field.name,
      transform: field.transform as PartitionField['transform'],
    })),
    sort: [],
    properties: {},
  };
}
