/**
 * Avro schemas as Iceberg uses them: every record field carries a `field-id`, a list an `element-id`, and a map with
 * integer keys is an array of key-value records marked `logicalType: map`.
 */
export type AvroType =
  | string
  | AvroRecord
  | AvroArray
  | AvroMap
  | AvroFixed
  | AvroLogical
  | readonly AvroType[];

export interface AvroRecord {
  type: 'record';
  name: string;
  fields: readonly AvroField[];
}

export interface AvroField {
  name: string;
  type: AvroType;
  default?: null;
  doc?: string;
  'field-id'?: number;
  'iceberg-field-name'?: string;
}

export interface AvroArray {
  type: 'array';
  items: AvroType;
  logicalType?: string;
  'element-id'?: number;
}

export interface AvroMap {
  type: 'map';
  values: AvroType;
}

export interface AvroFixed {
  type: 'fixed';
  name: string;
  size: number;
  logicalType?: string;
  precision?: number;
  scale?: number;
}

export interface AvroLogical {
  type: 'boolean' | 'int' | 'long' | 'float' | 'double' | 'string' | 'bytes';
  logicalType?: string;
  'adjust-to-utc'?: boolean;
  precision?: number;
  scale?: number;
}

export const required = (id: number, name: string, type: AvroType): AvroField => ({
  name,
  type,
  'field-id': id,
});

export const optional = (id: number, name: string, type: AvroType): AvroField => ({
  name,
  type: ['null', type],
  default: null,
  'field-id': id,
});

/** A map from field ids: Avro's own maps have string keys only. */
export const mapOf = (keyId: number, valueId: number, value: AvroType): AvroArray => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required(keyId, 'key', 'int'), required(valueId, 'value', value)],
  },
});

export const listOf = (elementId: number, items: AvroType): AvroArray => ({
  type: 'array',
  items,
  'element-id': elementId,
});

/** Avro allows only `[A-Za-z_][A-Za-z0-9_]*`; the same replacements as Java's, so that names agree across writers. */
export function avroName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9_]/gu, (character) => {
    return `_x${character.codePointAt(0)!.toString(16).toUpperCase()}`;
  });
  return /^[0-9]/.test(safe) ? `_${safe}` : safe;
}

/** Position of each field by its id. Names are no guide: writers differ in them (iceberg-rust#338). */
export function positionsById(record: AvroRecord): ReadonlyMap<number, number> {
  return new Map(
    record.fields.flatMap((field, at) => (field['field-id'] === undefined ? [] : [[field['field-id'], at]])),
  );
}

/** The record inside a type that may be optional. */
export function recordIn(type: AvroType | undefined): AvroRecord | undefined {
  if (Array.isArray(type))
    return type.map((branch) => recordIn(branch)).find((record) => record !== undefined);
  if (typeof type !== 'object') return undefined;
  const single = type as Exclude<AvroType, string | readonly AvroType[]>;
  if (single.type === 'record') return single;
  return single.type === 'array' ? recordIn(single.items) : undefined;
}
