import type { Field, PartitionField, TableDefinition } from '../lake/lake.ts';

export const RAW_NAME = 'raw.events';
export const STAGING_NAME = 'staging.events';
export const QUARANTINE_NAME = 'quarantine.events';

export const EVENT_TYPE_ID = 3;
export const CREATED_DATETIME_ID = 6;
export const ARRIVED_AT_ID = 8;

/** Types that every reader handles: Athena, Trino and pyarrow stumble over uuid, time and fixed. */
const EVENT_FIELDS: readonly Field[] = [
  { id: 1, name: 'event_uuid', type: 'string', required: true, doc: 'identity, as sent' },
  { id: 2, name: 'event_name', type: 'string', required: true },
  { id: EVENT_TYPE_ID, name: 'event_type', type: 'string', required: true, doc: 'first part of the name' },
  { id: 4, name: 'event_subtype', type: 'string', required: false, doc: 'second part of the name' },
  { id: 5, name: 'created_at', type: 'double', required: true, doc: 'Unix seconds, fractions kept' },
  { id: CREATED_DATETIME_ID, name: 'created_datetime', type: 'timestamptz', required: true },
  { id: 7, name: 'document', type: 'string', required: true, doc: 'the JSON document, byte for byte' },
  {
    id: ARRIVED_AT_ID,
    name: 'arrived_at',
    type: 'timestamptz',
    required: false,
    doc: 'when the stream took it',
  },
  { id: 9, name: 'shard_id', type: 'string', required: false },
  { id: 10, name: 'sequence_number', type: 'string', required: false, doc: 'decimal' },
  { id: 11, name: 'subsequence_number', type: 'int', required: false, doc: 'place inside an aggregate' },
  { id: 12, name: 'stream', type: 'string', required: false, doc: 'ARN and creation time' },
];

const EVENT_PARTITION: readonly PartitionField[] = [
  { source: CREATED_DATETIME_ID, id: 1000, name: 'created_datetime_day', transform: 'day' },
  { source: EVENT_TYPE_ID, id: 1001, name: 'event_type', transform: 'identity' },
];

export const RAW: TableDefinition = {
  schema: { fields: EVENT_FIELDS },
  partition: EVENT_PARTITION,
  sort: [],
  properties: {},
  overflow: true,
};

export const STAGING: TableDefinition = {
  schema: { fields: EVENT_FIELDS },
  partition: EVENT_PARTITION,
  sort: [
    { source: 2, transform: 'identity', direction: 'asc', nulls: 'first' },
    { source: CREATED_DATETIME_ID, transform: 'identity', direction: 'asc', nulls: 'first' },
  ],
  properties: {},
  overflow: true,
};

export const QUARANTINE: TableDefinition = {
  schema: {
    fields: [
      { id: 1, name: 'bytes', type: 'binary', required: true, doc: 'the record as received' },
      { id: 2, name: 'reason', type: 'string', required: true, doc: 'code, see docs/reference/reasons.md' },
      { id: 3, name: 'detail', type: 'string', required: false },
      { id: 4, name: 'arrived_at', type: 'timestamptz', required: true },
      { id: 5, name: 'stream', type: 'string', required: true },
      { id: 6, name: 'shard_id', type: 'string', required: true },
      { id: 7, name: 'sequence_number', type: 'string', required: true },
      { id: 8, name: 'subsequence_number', type: 'int', required: false },
    ],
  },
  partition: [{ source: 4, id: 1000, name: 'arrived_at_day', transform: 'day' }],
  sort: [],
  properties: {},
  overflow: true,
};

/** Tables that transforms make: their names begin with this, and they have this property. */
export const MARTS = 'marts.';
export const TRANSFORM_KEY = 'lakeward.transform';

export const TABLES: Readonly<Record<string, TableDefinition>> = {
  [RAW_NAME]: RAW,
  [STAGING_NAME]: STAGING,
  [QUARANTINE_NAME]: QUARANTINE,
};
