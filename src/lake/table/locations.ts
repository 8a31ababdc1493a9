/** Where the files of a table lie. Names are fresh for every file ever written; nothing is read from them but the
 * version in the name of a metadata file, which is for people. */
import { Failure } from '../../base/base.ts';
import { pathOfHint } from './partition.ts';

export function tableLocation(root: string, name: string): string {
  const { namespace, table } = splitName(name);
  if (!isPlainName(name))
    throw badName(name, 'a name is namespace.table, of letters, digits and underscores');
  return `${root}/${namespace.replaceAll('.', '/')}/${table}`;
}

/** For a table that will be there later, whose name cannot stand in a location, or whose plain folder is taken. */
export function uniqueLocation(root: string, { name, uuid }: { name: string; uuid: string }): string {
  const { namespace, table } = splitName(name);
  const folder = [...namespace.split('.'), table]
    .map((part) => part.replace(/[^A-Za-z0-9_-]/gu, '_'))
    .join('/');
  return `${root}/${folder}-${uuid}`;
}

/** Such a name can stand in a location as it is; other programs' tables may have other names. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(name);

/** `raw.events` → raw, events. What is before the last dot is the namespace. */
export function splitName(name: string): { namespace: string; table: string } {
  const dot = name.lastIndexOf('.');
  if (!/^[^.\p{Cc}]+(\.[^.\p{Cc}]+)+$/u.test(name))
    throw badName(name, 'a name is namespace.table, without empty parts and control characters');
  return { namespace: name.slice(0, dot), table: name.slice(dot + 1) };
}

function badName(name: string, why: string): Failure {
  return new Failure(`${name} is no name of a table`, { code: 'lake.bad_table_name', fault: 'user', why });
}

export function dataLocation(
  table: string,
  { uuid, hint }: { uuid: string; hint: string | undefined },
): string {
  const folder = hint === undefined ? '' : `${pathOfHint(hint)}/`;
  return `${table}/data/${folder === '/' ? '' : folder}${uuid}.parquet`;
}

export function manifestLocation(table: string, { uuid, number }: { uuid: string; number: number }): string {
  return `${table}/metadata/${uuid}-m${number}.avro`;
}

export function manifestListLocation(
  table: string,
  { snapshotId, uuid }: { snapshotId: bigint; uuid: string },
): string {
  return `${table}/metadata/snap-${snapshotId}-${uuid}.avro`;
}

/** The version after `previous`; the first one when there is none, or when its name has no number. */
export function metadataLocation(
  table: string,
  { previous, uuid, gzip = false }: { previous: string | undefined; uuid: string; gzip?: boolean },
) {
  const version = /\/v?(\d{1,9})[^/]*\.metadata\.json$/.exec(previous ?? '')?.[1];
  const next = version === undefined ? 0 : Number(version) + 1;
  const suffix = gzip ? '.gz.metadata.json' : '.metadata.json';
  return `${table}/metadata/${String(next).padStart(5, '0')}-${uuid}${suffix}`;
}
