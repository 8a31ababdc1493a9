/**
 * A catalog without any service: a small pointer object per table, in the store that holds the tables, moved by
 * conditional writes. Pointers lie together in `.catalog`, so that naming all tables is one listing of one prefix; no
 * part of a table's location has a dot, so neither tables nor the removal of their orphans come near it.
 *
 * A swap looks at the etag first and reads after it: when the etag still holds at the write, the object was the same
 * all the while, and so was what was read. Each pointer holds a token of its own, because S3 gives equal bytes equal
 * etags.
 *
 * A dropped table leaves an empty object, which a conditional write puts in the pointer's place: a deletion has no
 * condition, and a late one would take away the pointer of a table that was made anew under the name. Two pointers
 * cannot be moved at once, so that tables are not renamed, and transactions are of one table.
 */
import { type Clock, Failure, type JsonValue, parseJson, stringifyJson } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { splitName } from '../table/locations.ts';
import { namespacesInBucket } from './bucket-namespaces.ts';
import { probeConditions } from './bucket-probe.ts';
import type { NamespacedCatalog } from './catalog.ts';

export interface BucketCatalogOptions {
  store: ObjectStore;
  clock: Clock;
  random: () => number;
  /**
   * When the store is tried: at once, so that a writer hears of a store that it cannot use before it begins to work; or
   * before the first change, for one who only asks and may not write. Default: `at-open`.
   */
  tried?: 'at-open' | 'before-changes';
}

interface Pointer {
  'metadata-location': string;
  'previous-metadata-location'?: string;
  /** The name again, for a file system that takes `raw.Events` and `raw.events` for one file. */
  table: string;
  token: string;
}

const FOLDER = '.catalog';
const SUFFIX = '.json';
const DROPPED = Buffer.alloc(0);
/** Of a drop, against writers that commit to the table meanwhile. */
const DROP_ATTEMPTS = 10;

/** Changes nothing in a store that does not keep its word about conditional writes; to try it costs about ten requests. */
export async function openBucketCatalog(options: BucketCatalogOptions): Promise<NamespacedCatalog> {
  const { store, clock, random, tried = 'at-open' } = options;
  const folder = `${store.root}/${FOLDER}`;
  const token = () => freshUuid({ now_ms: clock.now(), random });
  const locationOf = (name: string): string => {
    splitName(name);
    return `${folder}/${encodeURIComponent(name)}${SUFFIX}`;
  };
  const bytesOf = (pointer: Omit<Pointer, 'token'>) =>
    Buffer.from(stringifyJson({ ...pointer, token: token() }, 2));

  async function* tables(prefix: string): AsyncGenerator<string> {
    for await (const { location, size } of store.list(`${folder}/${prefix}`)) {
      const file = location.slice(folder.length + 1);
      if (file.endsWith(SUFFIX) && size > 0) yield decodeURIComponent(file.slice(0, -SUFFIX.length));
    }
  }
  /** As it is at one moment, and the etag by which it is replaced at no other. */
  async function current(name: string, location: string) {
    const etag = (await store.head(location))?.etag;
    return etag === undefined ? undefined : { etag, pointer: await readPointer(store, { name, location }) };
  }

  const trusted = once(() => probeConditions(store, { folder, token }));
  if (tried === 'at-open') await trusted();
  const namespaces = namespacesInBucket({ store, folder, tables, token });
  return {
    ...namespaces,
    async createNamespace(...args) {
      await trusted();
      return namespaces.createNamespace(...args);
    },
    async updateNamespace(...args) {
      await trusted();
      return namespaces.updateNamespace(...args);
    },
    async load(name) {
      const pointer = await readPointer(store, { name, location: locationOf(name) });
      return pointer && { metadataLocation: pointer['metadata-location'] };
    },
    async list() {
      const names: string[] = [];
      for await (const name of tables('')) names.push(name);
      return names.sort();
    },
    async create(name, metadataLocation) {
      await trusted();
      const location = locationOf(name);
      const bytes = bytesOf({ table: name, 'metadata-location': metadataLocation });
      if (await sent(location, store.writeIfAbsent(location, bytes))) return 'created';
      const found = await current(name, location);
      if (found === undefined || found.pointer !== undefined) return 'exists';
      return (await sent(location, store.writeIfMatch(location, bytes, found.etag))) ? 'created' : 'exists';
    },
    async swap(name, { from, to }) {
      await trusted();
      const location = locationOf(name);
      const next = { table: name, 'metadata-location': to, 'previous-metadata-location': from };
      const found = await current(name, location);
      if (found?.pointer?.['metadata-location'] !== from) return 'conflict';
      return (await sent(location, store.writeIfMatch(location, bytesOf(next), found.etag)))
        ? 'swapped'
        : 'conflict';
    },
    async drop(name) {
      await trusted();
      const location = locationOf(name);
      for (let attempt = 0; attempt < DROP_ATTEMPTS; attempt++) {
        const found = await current(name, location);
        if (found?.pointer === undefined) return 'missing';
        if (await store.writeIfMatch(location, DROPPED, found.etag)) return 'dropped';
      }
      throw new Failure(`cannot drop ${name}`, {
        code: 'catalog.table_busy',
        fault: 'service',
        retry: 'backoff',
        why: `others committed to it at every one of ${DROP_ATTEMPTS} attempts`,
      });
    },
    async wasDropped(name) {
      return (await store.head(locationOf(name)))?.size === DROPPED.length;
    },
    async close() {},
  };
}

/** What succeeded is not done again; what failed is. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}

/** A store says `object_store.unknown` when it cannot tell; what is no Failure at all tells nothing either. */
async function sent(location: string, write: Promise<boolean>): Promise<boolean> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof Failure && error.code !== 'object_store.unknown') throw error;
    throw new Failure(`cannot tell whether the pointer ${location} was moved`, {
      code: 'catalog.unknown',
      fault: 'service',
      retry: 'refresh',
      why: error instanceof Failure ? (error.why ?? error.message) : String(error),
      cause: error,
    });
  }
}

/** Undefined when there is no such table, or it was dropped. */
async function readPointer(
  store: ObjectStore,
  { name, location }: { name: string; location: string },
): Promise<Pointer | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(location);
  } catch (error) {
    if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
    throw error;
  }
  if (bytes.length === 0) return undefined;
  const pointer = pointerIn(bytes);
  if (pointer === undefined) throw damaged(location, 'it is no pointer to a metadata file');
  if (pointer.table !== name)
    throw damaged(location, `it is the pointer of ${pointer.table}, not of ${name}`);
  return pointer;
}

function pointerIn(bytes: Uint8Array): Pointer | undefined {
  let json: JsonValue;
  try {
    json = parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  const isPointer =
    json !== null &&
    typeof json === 'object' &&
    !Array.isArray(json) &&
    typeof json['metadata-location'] === 'string' &&
    typeof json['table'] === 'string';
  return isPointer ? (json as unknown as Pointer) : undefined;
}

function damaged(location: string, why: string): Failure {
  return new Failure(`cannot use the pointer ${location}`, {
    code: 'catalog.pointer_damaged',
    fault: 'user',
    why,
    hint: 'something else wrote into .catalog; write a pointer to the newest metadata file of the table in its place',
  });
}
