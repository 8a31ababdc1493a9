/** Iceberg's types as Spark's. */
import type { Field } from '../../lake/lake.ts';
import { identifier } from './connect/statements.ts';

const TYPES: Readonly<Record<string, string>> = {
  long: 'bigint',
  timestamp: 'timestamp_ntz',
  timestamptz: 'timestamp',
  uuid: 'string',
};

/** Nested types, which transforms never make, are not read here. */
export const sparkType = (type: unknown): string => TYPES[String(type)] ?? String(type);

/**
 * Spark's own JSON of a schema, whose names of types are others than those of its DDL, for field ids: columns are found
 * by them, whatever they are called in a file. Without an id a column is found by its name.
 */
export const schemaWithIds = (fields: readonly { id?: number; name: string; type: string }[]): string =>
  JSON.stringify({
    type: 'struct',
    fields: fields.map(({ id, name, type }) => ({
      ...{ name, type, nullable: true },
      metadata: id === undefined ? {} : { 'parquet.field.id': id },
    })),
  });

/** In Spark's DDL. */
export const schemaOf = (fields: readonly Pick<Field, 'name' | 'type'>[]): string =>
  fields.map(({ name, type }) => `${identifier(name)} ${sparkType(type)}`).join(', ');
