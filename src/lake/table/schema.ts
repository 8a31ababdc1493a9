/** The types of Iceberg v2 that every reader handles; ours use no uuid, time or fixed. */
export type PrimitiveType =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'binary'
  | `decimal(${number}, ${number})`;

export type Type = PrimitiveType;

export interface Field {
  id: number;
  name: string;
  type: Type;
  required: boolean;
  doc?: string;
}

export interface Schema {
  fields: readonly Field[];
}

export interface PartitionField {
  /** Field id of the source column. */
  source: number;
  /** 1000 and up. */
  id: number;
  name: string;
  transform: 'identity' | 'day';
}

export interface SortField {
  source: number;
  transform: 'identity';
  direction: 'asc' | 'desc';
  nulls: 'first' | 'last';
}

export interface Decimal {
  precision: number;
  scale: number;
}

/** Undefined when the type is no decimal. Other writers leave out the space after the comma. */
export function decimalOf(type: string): Decimal | undefined {
  const match = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
  return match ? { precision: Number(match[1]), scale: Number(match[2]) } : undefined;
}

/** Bytes that hold every unscaled value of this precision: 4 for 9 digits, 16 for 38. */
export function decimalBytes(precision: number): number {
  let bytes = 1;
  while (10n ** BigInt(precision) > 1n << BigInt(8 * bytes - 1)) bytes++;
  return bytes;
}
