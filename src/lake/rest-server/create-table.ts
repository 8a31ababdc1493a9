/** Tables made by one request: written at once, or staged, so that the client commits it with its first data. */
import { stagePointed } from '../catalog/stage-pointed.ts';
import type { Table } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { freshSchema } from '../table/fresh-schema.ts';
import type { TableMetadata } from '../table/metadata.ts';
import { tableFromUpdates } from '../table/table-from-updates.ts';
import type { Update } from '../table/table-update.ts';
import { tableNamed } from './names.ts';
import type { Members } from './read-json.ts';
import { badRequest, tableExists } from './rest-error.ts';
import { sendVersions } from './send-version.ts';
import type { Service } from './service.ts';
import { allowedLocation, freshLocation, newLocation } from './table-location.ts';
import { schemaOf, sortOrderOf, specOf } from './table-request.ts';

/** What Java sets in new tables, for readers that would take another default. */
const DEFAULT_PROPERTIES = { 'write.parquet.compression-codec': 'zstd' };
/** Names of properties that mean a part of the metadata itself. */
const RESERVED_PROPERTIES = new Set([
  'format-version',
  'uuid',
  'snapshot-count',
  'current-snapshot-id',
  'current-snapshot-summary',
  'current-snapshot-timestamp-ms',
  'current-schema',
  'default-partition-spec',
  'default-sort-order',
]);

export interface Creation {
  metadata: TableMetadata;
  /** Undefined when the table was only staged. */
  table: Table | undefined;
}

export async function createTable(service: Service, namespace: string, request: Members): Promise<Creation> {
  await service.requireNamespace(namespace);
  const name = tableNamed(namespace, request.text('name'));
  if ((await service.find(name)) !== undefined) throw tableExists(name);

  const { clock, random } = service.ports;
  const now_ms = clock.now();
  const isStaged = request.boolean('stage-create');
  const asked = request.has('location')
    ? allowedLocation(service.ports.store, request.text('location'))
    : undefined;
  const location = asked ?? (isStaged ? freshLocation(service, name) : await newLocation(service, name));
  const metadata = tableFromUpdates(updatesOf(request, location), {
    uuid: freshUuid({ now_ms, random }),
    now_ms,
  });
  if (isStaged) return { metadata, table: undefined };

  const version = await stagePointed(service.ports, { name, metadata, from: undefined });
  if ((await sendVersions(service, [version])) === 'conflict') throw tableExists(name);
  return { metadata, table: version.table };
}

/** The ids in the request are the client's own: every column and partition field of a new table is numbered anew. */
function updatesOf(request: Members, location: string): Update[] {
  const { schema, idOf } = freshSchema(schemaOf(request.object('schema')));
  const source = (id: number): number => {
    const fresh = idOf.get(id);
    if (fresh === undefined)
      throw badRequest(`a partition or sort field names column ${id}, which is not there`);
    return fresh;
  };
  const spec = request.has('partition-spec') ? specOf(request.object('partition-spec')) : { fields: [] };
  const order = request.has('write-order') ? sortOrderOf(request.object('write-order')) : { fields: [] };
  const properties = request.properties('properties');
  const version = properties['format-version'];
  return [
    ...(version === undefined
      ? []
      : [{ action: 'upgrade-format-version' as const, 'format-version': Number(version) }]),
    { action: 'add-schema', schema },
    { action: 'set-current-schema', 'schema-id': -1 },
    {
      action: 'add-spec',
      spec: {
        fields: spec.fields.map((field, at) => ({
          ...field,
          'source-id': source(field['source-id']),
          'field-id': 1000 + at,
        })),
      },
    },
    { action: 'set-default-spec', 'spec-id': -1 },
    {
      action: 'add-sort-order',
      'sort-order': {
        fields: order.fields.map((field) => ({ ...field, 'source-id': source(field['source-id']) })),
      },
    },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-location', location },
    { action: 'set-properties', updates: { ...DEFAULT_PROPERTIES, ...persisted(properties) } },
  ];
}

function persisted(properties: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !RESERVED_PROPERTIES.has(key)));
}
