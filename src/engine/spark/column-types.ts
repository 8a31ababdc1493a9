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

/** In Spark's DDL. */
export const schemaOf = (fields: readonly Pick<Field, 'name' | 'type'>[]): string =>
  fields.map(({ name, type }) => `${identifier(name)} ${sparkType(type)}`).join(', ');
