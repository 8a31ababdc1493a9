/** What a service does to tables, written apart from ours: it numbers columns itself and checks what it is told. */
type Id = number | bigint;

/** Requests as a client sends them; what else a part says is kept. */
export interface MakingBody {
  name: string;
  location?: string;
  schema: { fields: readonly { id: number }[] };
  'partition-spec'?: { fields: readonly { 'source-id': number; 'field-id': number }[] };
  'write-order'?: { 'order-id': number; fields: readonly { 'source-id': number }[] };
  properties: Record<string, string>;
}

type Requirement =
  | { type: 'assert-table-uuid'; uuid: string }
  | { type: 'assert-last-assigned-partition-id'; 'last-assigned-partition-id': number }
  | { type: 'assert-ref-snapshot-id'; ref: string; 'snapshot-id': Id | null };

interface Snapshot {
  'snapshot-id': Id;
  'sequence-number': number;
  'timestamp-ms': number;
}

interface Spec {
  'spec-id': number;
  fields: readonly unknown[];
}

type Update =
  | { action: 'add-spec'; spec: Omit<Spec, 'spec-id'> }
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | { action: 'set-snapshot-ref'; 'ref-name': string; type: string; 'snapshot-id': Id }
  | { action: 'set-properties'; updates: Record<string, string> }
  | { action: 'remove-properties'; removals: readonly string[] };

export interface CommitBody {
  requirements: readonly Requirement[];
  updates: readonly Update[];
}

interface Metadata {
  'table-uuid': string;
  location: string;
  'last-sequence-number': number;
  'last-updated-ms': number;
  properties: Record<string, string>;
  'last-partition-id': number;
  'partition-specs': Spec[];
  'current-snapshot-id': Id;
  refs: Record<string, { type: string; 'snapshot-id': Id }>;
  snapshots: Snapshot[];
  'snapshot-log': { 'timestamp-ms': number; 'snapshot-id': Id }[];
  [other: string]: unknown;
}

export interface FakeTable {
  version: number;
  metadata: Metadata;
  metadataLocation: string;
}

export class Refused extends Error {
  readonly status: number;
  readonly type: string;
  constructor(status: number, type: string) {
    super(`${type} of the fake service`);
    this.status = status;
    this.type = type;
  }
}

export interface Making {
  location: string;
  /** The id that the first column gets. */
  firstId: number;
}

export function makeTable(body: MakingBody, { location, firstId }: Making): FakeTable {
  const ids = new Map(body.schema.fields.map((field, at) => [field.id, firstId + at]));
  const fields = body.schema.fields.map((field) => ({ ...field, id: ids.get(field.id) }));
  const renamed = <F extends { 'source-id': number }>(field: F) => ({
    ...field,
    'source-id': ids.get(field['source-id']),
  });
  const spec = (body['partition-spec']?.fields ?? []).map(renamed);
  const order = body['write-order'];
  const { 'format-version': version, ...properties } = body.properties;
  const metadata = {
    'format-version': Number(version ?? 2),
    'table-uuid': crypto.randomUUID(),
    location,
    'last-sequence-number': 0,
    'last-updated-ms': 1_767_225_600_000,
    'last-column-id': firstId + fields.length - 1,
    schemas: [{ type: 'struct', 'schema-id': 0, fields }],
    'current-schema-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: spec }],
    'default-spec-id': 0,
    'last-partition-id': Math.max(999, ...spec.map((field) => field['field-id'])),
    'sort-orders': [order ? { ...order, fields: order.fields.map(renamed) } : { 'order-id': 0, fields: [] }],
    'default-sort-order-id': order?.['order-id'] ?? 0,
    properties,
    // As older services write that there is none.
    'current-snapshot-id': -1,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
  return versionOf(metadata, 0);
}

export function commitTo(table: FakeTable, { requirements, updates }: CommitBody): FakeTable {
  for (const requirement of requirements) {
    if (!holds(table.metadata, requirement)) throw new Refused(409, 'CommitFailedException');
  }
  const metadata = structuredClone(table.metadata);
  for (const update of updates) apply(metadata, update);
  return versionOf(metadata, table.version + 1);
}

function versionOf(metadata: Metadata, version: number): FakeTable {
  return { version, metadata, metadataLocation: `${metadata.location}/metadata/v${version}.metadata.json` };
}

function holds(metadata: Metadata, requirement: Requirement): boolean {
  switch (requirement.type) {
    case 'assert-table-uuid':
      return metadata['table-uuid'] === requirement.uuid;
    case 'assert-last-assigned-partition-id':
      return metadata['last-partition-id'] === requirement['last-assigned-partition-id'];
    case 'assert-ref-snapshot-id':
      return sameId(metadata.refs[requirement.ref]?.['snapshot-id'] ?? null, requirement['snapshot-id']);
    default:
      throw new Refused(400, 'BadRequestException');
  }
}

/** A small id is a number in the JSON that was parsed, a large one a bigint. */
const sameId = (a: Id | null, b: Id | null): boolean => String(a) === String(b);

function apply(metadata: Metadata, update: Update): void {
  switch (update.action) {
    case 'add-snapshot': {
      const { snapshot } = update;
      if (snapshot['sequence-number'] <= metadata['last-sequence-number'])
        throw new Refused(400, 'BadRequestException');
      metadata.snapshots.push(snapshot);
      metadata['last-sequence-number'] = snapshot['sequence-number'];
      metadata['last-updated-ms'] = snapshot['timestamp-ms'];
      return;
    }
    case 'set-snapshot-ref': {
      const { action: _, 'ref-name': name, ...ref } = update;
      metadata.refs[name] = ref;
      if (name !== 'main') return;
      metadata['current-snapshot-id'] = ref['snapshot-id'];
      const entry = { 'timestamp-ms': metadata['last-updated-ms'], 'snapshot-id': ref['snapshot-id'] };
      metadata['snapshot-log'].push(entry);
      return;
    }
    // As Java: an equal one is used again, another gets the highest id and one more.
    case 'add-spec': {
      const text = JSON.stringify(update.spec.fields);
      if (metadata['partition-specs'].some((spec) => JSON.stringify(spec.fields) === text)) return;
      const id = Math.max(...metadata['partition-specs'].map((spec) => spec['spec-id'])) + 1;
      metadata['partition-specs'].push({ 'spec-id': id, fields: update.spec.fields });
      return;
    }
    case 'set-properties':
      Object.assign(metadata.properties, update.updates);
      return;
    case 'remove-properties':
      for (const key of update.removals) delete metadata.properties[key];
      return;
    default:
      throw new Refused(400, 'BadRequestException');
  }
}
