import { readFile, unlink } from 'node:fs/promises';
import type { Clock } from '../base/base.ts';
import { diskFailure, notFound } from './failures.ts';
import { keyOf, keyPrefixOf } from './locations.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';

interface Entry {
  bytes: Uint8Array;
  modifiedAt_ms: number;
  etag: string;
}

/**
 * Objects in this process's memory, for tests. Each change happens in one turn of the event loop, so it is atomic
 * without a lock; bytes are copied in and out, so that a caller's buffer is never the store's.
 */
export function openMemoryStore({ clock }: { clock: Clock }): ObjectStore {
  const root = 'memory://lake';
  const entries = new Map<string, Entry>();
  let writes = 0;

  const put = (location: string, bytes: Uint8Array) =>
    void entries.set(location, {
      bytes: Uint8Array.from(bytes),
      modifiedAt_ms: clock.now(),
      etag: String(++writes),
    });
  const infoOf = (location: string, { bytes, modifiedAt_ms, etag }: Entry): ObjectInfo => ({
    location,
    size: bytes.length,
    modifiedAt_ms,
    etag,
  });

  return {
    root,
    async read(location, range) {
      keyOf(root, location);
      const entry = entries.get(location);
      if (!entry) throw notFound(location);
      return range ? entry.bytes.slice(range.offset, range.offset + range.length) : entry.bytes.slice();
    },
    async head(location) {
      keyOf(root, location);
      const entry = entries.get(location);
      return entry && infoOf(location, entry);
    },
    async write(location, bytes) {
      keyOf(root, location);
      put(location, bytes);
    },
    async writeIfAbsent(location, bytes) {
      keyOf(root, location);
      if (entries.has(location)) return false;
      put(location, bytes);
      return true;
    },
    async writeIfMatch(location, bytes, etag) {
      keyOf(root, location);
      if (entries.get(location)?.etag !== etag) return false;
      put(location, bytes);
      return true;
    },
    async moveIn(files) {
      for (const { localPath, location } of files) {
        keyOf(root, location);
        try {
          put(location, await readFile(localPath));
          await unlink(localPath);
        } catch (error) {
          throw diskFailure(`cannot move ${localPath} to ${location}`, error);
        }
      }
    },
    localPath: () => undefined,
    async *list(prefix) {
      keyPrefixOf(root, prefix);
      for (const [location, entry] of [...entries])
        if (location.startsWith(prefix)) yield infoOf(location, entry);
    },
    async delete(locations) {
      for (const location of locations) keyOf(root, location);
      for (const location of locations) entries.delete(location);
    },
  };
}
