/**
 * A table's definition as a service is told it, and the check that it made what it was told. Our data files carry
 * field ids; a service may number the columns itself, and files with other numbers would read as nulls.
 */
import { type Clock, Failure, stringifyJson } from '../../../base/base.ts';
import type { TableDefinition } from '../../lake.ts';
import { partitionSpec, type TableMetadata, tableSchema } from '../../table/metadata.ts';
import { newTable } from '../../table/next-metadata.ts';
import { partsOf } from './routes.ts';

export interface TableRequest {
  name: string;
  definition: TableDefinition;
  /** Where the service decides it: undefined. */
  location: string | undefined;
}

export function creationOf(
  { name, definition, location }: TableRequest,
  clock: Clock,
): { body: unknown; planned: TableMetadata } {
  const planned = newTable(definition, { location: location ?? '', uuid: '', now_ms: clock.now() });
  const [order] = planned['sort-orders'];
  const body = {
    name: partsOf(name).table,
    ...(location !== undefined && { location }),
    schema: tableSchema(planned),
    'partition-spec': partitionSpec(planned, planned['default-spec-id']),
    ...(definition.sort.length > 0 && { 'write-order': order }),
    'stage-create': false,
    properties: { ...planned.properties, 'format-version': String(planned['format-version']) },
  };
  return { body, planned };
}

/** What differs between the table that was asked for and the one that was made, in words; undefined when nothing does. */
export function difference(planned: TableMetadata, made: TableMetadata): string | undefined {
  const wanted = numbersOf(planned);
  const got = numbersOf(made);
  for (const part of ['columns', 'partitions', 'sort'] as const) {
    if (wanted[part] !== got[part])
      return `its ${part} are ${got[part] || 'none'}, where ${wanted[part] || 'none'} was asked for`;
  }
  return undefined;
}

function numbersOf(metadata: TableMetadata): Record<'columns' | 'partitions' | 'sort', string> {
  const orderId = metadata['default-sort-order-id'];
  const order = metadata['sort-orders'].find((each) => each['order-id'] === orderId);
  const spec = partitionSpec(metadata, metadata['default-spec-id']);
  return {
    columns: tableSchema(metadata)
      .fields.map(({ id, name, type, required }) => `${id} ${name} ${shortType(type)}${required ? '!' : ''}`)
      .join(', '),
    partitions: `spec ${spec['spec-id']}: ${spec.fields
      .map((field) => `${field['field-id']} ${field.transform}(${field['source-id']}) as ${field.name}`)
      .join(', ')}`,
    sort: (order?.fields ?? [])
      .map((field) => [field.transform, field['source-id'], field.direction, field['null-order']].join(' '))
      .join(', '),
  };
}

/** Some write a blank into `decimal(9, 2)`. */
const shortType = (type: unknown): string => stringifyJson(type).replaceAll(/[\s"]/g, '');

export function renumbered(name: string, { why, dropped }: { why: string; dropped: boolean }): Failure {
  return new Failure(`cannot use the table ${name} that the catalog made`, {
    code: 'catalog.renumbered',
    fault: 'service',
    why,
    hint: dropped
      ? 'the empty table was dropped again; this catalog numbers columns its own way: use another one'
      : 'drop the empty table, and use another catalog: this one numbers columns its own way',
  });
}
