import { Failure } from '../base/base.ts';

/** Names that begin with this are the store's own (temp files, lock): never listed, never a location. */
export const OWN_PREFIX = '.lakeward-';

/**
 * The path below the root that a location names. Text is compared, never decoded: pyiceberg, Spark and DuckDB take
 * what stands after `file://` as it is, so a blank or an umlaut in a folder's name is written as itself, and `%20`
 * in a location is a percent sign in a file's name.
 */
export function keyOf(root: string, location: string): string {
  const spelled = asWeSpellIt(location);
  const key = spelled.slice(root.length + 1);
  if (!spelled.startsWith(`${root}/`) || !isKey(key)) throw badLocation(root, location);
  return key;
}

/** One spelling of a location: Hadoop, and so Spark, writes `file:/x` for `file:///x`; its S3 schemes are `s3a`, `s3n`. */
export const asWeSpellIt = (location: string): string =>
  location.replace(/^file:\/(?!\/)/, 'file:///').replace(/^s3[an]:/, 's3:');

export const isKey = (key: string): boolean => !key.split('/').some(forbidden);

/** The same for a prefix, which may be the root itself and may end in the middle of a name or with a slash. */
export function keyPrefixOf(root: string, prefix: string): string {
  const spelled = asWeSpellIt(prefix);
  if (spelled === root) return '';
  if (!spelled.startsWith(`${root}/`)) throw badLocation(root, prefix);
  const key = spelled.slice(root.length + 1);
  if (key.split('/').some((part) => part === '..' || part.includes('\0'))) throw badLocation(root, prefix);
  return key;
}

const forbidden = (part: string): boolean =>
  part === '' || part === '.' || part === '..' || part.includes('\0') || part.startsWith(OWN_PREFIX);

export function badLocation(root: string, location: string): Failure {
  return new Failure(`${location} is no location of the store ${root}`, {
    code: 'object_store.bad_location',
    fault: 'ourselves',
    why: 'a location lies below the root and has neither empty parts, nor "." or "..", nor names of the store itself',
  });
}
