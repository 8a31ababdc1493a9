/**
 * Namespaces of a catalog in a bucket. One that holds a table is there by the table's pointer; one that was created, or
 * has properties, has an object of its own beside the pointers. Every look is one bounded listing: of all pointers, or
 * of those whose name begins with the namespace.
 */
import { Failure, type JsonValue, parseJson, stringifyJson } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { splitName } from '../table/locations.ts';
import type { NamespacedCatalog, NamespaceProperties } from './catalog.ts';
import { isWithin, withParents } from './namespaces.ts';

type Namespaces = Pick<
  NamespacedCatalog,
  'listNamespaces' | 'loadNamespace' | 'createNamespace' | 'updateNamespace' | 'dropNamespace'
>;

const SUFFIX = '.namespace';
/** Of writers that change the properties of one namespace at the same time. */
const ATTEMPTS = 10;

export interface BucketNamespaces {
  store: ObjectStore;
  /** Of the pointers. */
  folder: string;
  /** Names of the tables whose encoded name begins so. */
  tables(prefix: string): AsyncIterable<string>;
  /** Never the same twice: S3 gives equal bytes equal etags. */
  token(): string;
}

export function namespacesInBucket({ store, folder, tables, token }: BucketNamespaces): Namespaces {
  const locationOf = (namespace: string) => `${folder}/${encodeURIComponent(namespace)}${SUFFIX}`;
  const bytesOf = (namespace: string, properties: NamespaceProperties) =>
    Buffer.from(stringifyJson({ namespace, properties, token: token() }, 2));

  async function* created(prefix: string): AsyncGenerator<string> {
    for await (const { location } of store.list(`${folder}/${prefix}`)) {
      const file = location.slice(folder.length + 1);
      if (file.endsWith(SUFFIX)) yield decodeURIComponent(file.slice(0, -SUFFIX.length));
    }
  }
  async function* named(prefix: string): AsyncGenerator<string> {
    for await (const name of tables(prefix)) yield splitName(name).namespace;
    yield* created(prefix);
  }
  const holds = async (namespace: string): Promise<boolean> => {
    const prefix = `${encodeURIComponent(namespace)}.`;
    for await (const name of tables(prefix)) if (isWithin(splitName(name).namespace, namespace)) return true;
    for await (const each of created(prefix))
      if (each !== namespace && isWithin(each, namespace)) return true;
    return false;
  };
  const read = async (namespace: string): Promise<NamespaceProperties | undefined> => {
    const location = locationOf(namespace);
    try {
      return propertiesIn(await store.read(location), { namespace, location });
    } catch (error) {
      if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
      throw error;
    }
  };
  const load = async (namespace: string): Promise<NamespaceProperties | undefined> =>
    (await read(namespace)) ?? ((await holds(namespace)) ? {} : undefined);

  return {
    async listNamespaces() {
      const all: string[] = [];
      for await (const namespace of named('')) all.push(namespace);
      return withParents(all);
    },
    loadNamespace: load,
    async createNamespace(namespace, properties) {
      if ((await load(namespace)) !== undefined) return 'exists';
      const isNew = await store.writeIfAbsent(locationOf(namespace), bytesOf(namespace, properties));
      return isNew ? 'created' : 'exists';
    },
    async updateNamespace(namespace, { set, remove }) {
      const location = locationOf(namespace);
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        // The etag first: when it holds at the write, what was read in between is what is replaced.
        const etag = (await store.head(location))?.etag;
        const before = await load(namespace);
        if (before === undefined) return 'missing';
        const entries = Object.entries({ ...before, ...set }).filter(([key]) => !remove.includes(key));
        const bytes = bytesOf(namespace, Object.fromEntries(entries));
        const isWritten =
          etag === undefined
            ? await store.writeIfAbsent(location, bytes)
            : await store.writeIfMatch(location, bytes, etag);
        if (isWritten) return 'updated';
      }
      throw new Failure(`cannot change the properties of the namespace ${namespace}`, {
        code: 'catalog.namespace_busy',
        fault: 'service',
        retry: 'backoff',
        why: `others changed them at every one of ${ATTEMPTS} attempts`,
      });
    },
    async dropNamespace(namespace) {
      if (await holds(namespace)) return 'not-empty';
      if ((await read(namespace)) === undefined) return 'missing';
      await store.delete([locationOf(namespace)]);
      return 'dropped';
    },
  };
}

function propertiesIn(
  bytes: Uint8Array,
  { namespace, location }: { namespace: string; location: string },
): NamespaceProperties {
  let json: JsonValue;
  try {
    json = parseJson(Buffer.from(bytes).toString('utf8'));
  } catch {
    json = null;
  }
  const found = json as { namespace?: unknown; properties?: unknown } | null;
  if (found?.namespace === namespace && typeof found.properties === 'object' && found.properties !== null)
    return found.properties as NamespaceProperties;
  throw new Failure(`cannot use ${location}`, {
    code: 'catalog.namespace_damaged',
    fault: 'user',
    why: `it does not describe the namespace ${namespace}`,
    hint: 'something else wrote into .catalog; delete the object: the tables of the namespace stay, its properties are lost',
  });
}
