import type { JsonValue } from '../../../base/base.ts';
import type { Fields } from './requests.ts';
import { stringsOf } from './routes.ts';

/** How a table's files are reached, as the service says it with the table: its own words, Iceberg's property names. */
export interface TableStorage {
  table: string;
  /** Under which the table's files lie. */
  location: string;
  /** Such as `s3.endpoint`, `client.region`, and on older services the credentials too. */
  config: Readonly<Record<string, string>>;
  /** Credentials that the service lends, each for what begins with its prefix; the longest that fits is the one. */
  credentials: readonly { prefix: string; config: Readonly<Record<string, string>> }[];
}

export function storageIn(
  fields: Fields,
  { table, location }: { table: string; location: string },
): TableStorage {
  const lent = fields['storage-credentials'];
  return {
    table,
    location,
    config: stringsOf(fields['config']),
    credentials: Array.isArray(lent) ? lent.flatMap(credentialIn) : [],
  };
}

function credentialIn(value: JsonValue): TableStorage['credentials'][number][] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  const { prefix, config } = value;
  return typeof prefix === 'string' ? [{ prefix, config: stringsOf(config) }] : [];
}
