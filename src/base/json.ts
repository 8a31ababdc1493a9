/**
 * JSON with 64-bit integers. Iceberg snapshot ids are random 63-bit numbers; JSON.parse would round them and a
 * commit would then name a snapshot that does not exist. Integers beyond 2^53 become bigint, and bigint is written
 * as an integer literal.
 */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue | undefined };

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

const keepLargeIntegers: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;

export function parseJson(text: string): JsonValue {
  return JSON.parse(text, keepLargeIntegers as (key: string, value: unknown) => unknown) as JsonValue;
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, v) => (typeof v === 'bigint' ? rawJson(String(v)) : v), indent);
}
