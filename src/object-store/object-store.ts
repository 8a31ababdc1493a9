/**
 * Where a lake's files live. One narrow interface; each backend is a file of this folder, and one contract suite
 * (tests/contracts/object-store.test.ts) runs over all of them.
 *
 * Locations are full URIs as Iceberg wants them (`file:///…`, `memory://…`, `s3://…`). A write that resolved is
 * durable: acknowledged by the store, or on local disk temp file → fsync → rename → fsync of the folder.
 */
export { openDiskStore } from './disk.ts';
export { isThere, mayWrite } from './file-rights.ts';
export { asWeSpellIt } from './locations.ts';
export { openMemoryStore } from './memory.ts';
export {
  openS3Store,
  type S3Connection,
  type S3Credentials,
  type S3Limits,
  type S3StoreOptions,
} from './s3.ts';

export interface ObjectInfo {
  location: string;
  size: number;
  /** By the store's own clock, milliseconds since the epoch: orphan age is judged by it, never by ours. */
  modifiedAt_ms: number;
  /**
   * Changes whenever the bytes change. S3 gives equal bytes equal etags, disk and memory do not: an object that is
   * swapped by etag must hold something that no other version of it holds, such as the id of its commit.
   */
  etag: string;
}

export interface ObjectStore {
  /** The URI under which this store keeps everything, without a trailing slash. */
  readonly root: string;
  /**
   * Throws Failure `object_store.not_found` when there is no such object. A range that reaches past the end gives what
   * is there; one that begins past it gives nothing.
   */
  read(location: string, range?: { offset: number; length: number }): Promise<Uint8Array>;
  head(location: string): Promise<ObjectInfo | undefined>;
  /** Creates or replaces. */
  write(location: string, bytes: Uint8Array): Promise<void>;
  /**
   * False when the object already exists. Both conditional writes: `true`, the bytes are there by this call, durable;
   * `false`, they are not, and this call changed nothing; so it is with any Failure but `object_store.unknown` (retry
   * `refresh`): it may have happened, or happen within moments. The caller reads, and decides by what it finds.
   *
   * What became of a creation whose answer was lost the store finds out itself: the same bytes under the name are
   * `true`. So where winners count, each writer's bytes must hold something of its own.
   */
  writeIfAbsent(location: string, bytes: Uint8Array): Promise<boolean>;
  /** False when the object's etag is another one, or it is gone. Never sent twice, and never guessed. */
  writeIfMatch(location: string, bytes: Uint8Array, etag: string): Promise<boolean>;
  /**
   * Moves finished local files into the store, all durable on return; the local paths are gone afterwards. For
   * locations that nobody else writes: it takes no part in the races of the conditional writes.
   */
  moveIn(files: readonly { localPath: string; location: string }[]): Promise<void>;
  /** A path that an engine can read without a copy, or undefined when the store has none. */
  localPath(location: string): string | undefined;
  /** Every object whose location starts with the prefix, in no particular order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** Deleting what is not there is no error. */
  delete(locations: readonly string[]): Promise<void>;
}
