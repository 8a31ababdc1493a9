/** Partition transforms: which value a row's column gives, of which type, and how it reads in a path. */
import type { PartitionValue } from './data-file.ts';
import type { PartitionSpec } from './metadata.ts';

const DAY_US = 86_400_000_000n;

/** Days since the epoch. Rounds down, so that a moment before 1970 belongs to the day it lies in. */
export function dayOfMicros(micros: bigint): number {
  const day = micros / DAY_US;
  return Number(micros < 0n && micros % DAY_US !== 0n ? day - 1n : day);
}

/** Undefined for a transform of another writer whose result we do not use. */
export function resultType(transform: string, sourceType: string): string | undefined {
  if (transform === 'identity') return sourceType;
  if (transform === 'day') return 'date';
  if (transform === 'void' || transform.startsWith('truncate[')) return sourceType;
  if (transform.startsWith('bucket[') || ['year', 'month', 'hour'].includes(transform)) return 'int';
  return undefined;
}

export function resultTypes(spec: PartitionSpec, types: ReadonlyMap<number, string>): (string | undefined)[] {
  return spec.fields.map((field) => resultType(field.transform, types.get(field['source-id']) ?? 'unknown'));
}

/** The same text for the same partition, another for another one; null and the text 'null' are told apart. */
export function partitionKey(specId: number, values: readonly PartitionValue[]): string {
  const texts = values.map((value) => {
    if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
    return typeof value === 'bigint' ? `long ${value}` : value;
  });
  return JSON.stringify([specId, ...texts]);
}

/**
 * A hint as a part of a file's location. Whatever could mean something to a URI or a file system becomes `_`:
 * readers disagree on whether `%2F` in a location is an escape, so none is ever written.
 */
export function pathOfHint(hint: string): string {
  const parts = hint.split('/').map((part) =>
    part
      .replace(/[^A-Za-z0-9_=.-]/gu, '_')
      .replace(/^\.+/, '_')
      .slice(0, 100),
  );
  return parts
    .filter((part) => part !== '')
    .slice(0, 8)
    .join('/');
}
