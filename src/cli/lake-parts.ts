/** Where the tables are and who says which version of each is the current one: store and catalog by the settings. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Clock, Failure, makeFolder } from '../base/base.ts';
import type { Settings } from '../config/config.ts';
import { inPlace, type LocalFiles, remoteFiles } from '../engine/engine.ts';
import {
  type Catalog,
  type FileAccess,
  fileLeft,
  openBucketCatalog,
  openRestCatalog,
  openSqliteCatalog,
  type RestAuth,
} from '../lake/lake.ts';
import { type ObjectStore, openDiskStore, openS3Store } from '../object-store/object-store.ts';
import { TABLES } from '../tables/tables.ts';
import { chainedCredentials } from './credentials.ts';

export interface LakeParts {
  store: ObjectStore;
  /** How engines of this machine read the store's files. */
  files: LocalFiles;
}

export interface Places {
  /** Of the tables, where they are on this machine. */
  warehouse: string;
  /** Of local copies, where they are elsewhere. */
  copies: string;
}

/**
 * Who reads needs no right to write: nothing is tried out in a store before something is to be changed there, and nothing
 * is made, so that there must be a lake. Who sends changes no table either, but may begin the folder of its stream. Who
 * keeps tables up changes those that are there; only who writes begins a lake. Who serves the catalog may begin it also
 * where it was lost, to have the tables registered again.
 */
export type Access = 'reads' | 'sends' | 'keeps' | 'writes' | 'serves';

/**
 * In a folder whose name was mistyped there would be an empty lake, and every answer would be of it. Where only the
 * catalog is gone, a new one would be of other tables, and the old ones' files nobody's.
 */
export async function ensureLake(
  settings: Settings,
  { sqlite, store, access }: { sqlite: string; store: ObjectStore; access: Access },
): Promise<void> {
  if (access === 'serves' || kindOf(settings) !== 'sqlite' || (await isThere(sqlite))) return;
  const [dir, file] = [dirname(sqlite), basename(sqlite)];
  await ensureNothingLeft(store, {
    what: `the catalog of the lake in ${dir} is missing`,
    why: `no ${file} says which of them it is`,
  });
  if (access !== 'reads' && access !== 'keeps') return;
  throw new Failure(`there is no lake in ${dir}`, {
    code: 'lake.no_lake',
    fault: 'user',
    why: `it has no ${file}, and this command makes none`,
    hint: 'check --dir, or begin a lake with lakeward dev or lakeward run',
    docs: 'docs/tutorial/first-lake.md',
  });
}

/** A catalog that is there may be the wrong one, or one that was begun in the place of a lost one. */
export async function ensureNamed(catalog: Catalog, store: ObjectStore): Promise<void> {
  for (const name of Object.keys(TABLES)) {
    if ((await ('swap' in catalog ? catalog.load(name) : catalog.loadTable(name))) !== undefined) return;
    if ('wasDropped' in catalog && (await catalog.wasDropped(name))) return;
  }
  await ensureNothingLeft(store, {
    what: 'the catalog does not know the tables of this lake',
    why: 'the catalog names none of raw, staging and quarantine',
  });
}

async function ensureNothingLeft(store: ObjectStore, { what, why }: { what: string; why: string }) {
  for (const name of Object.keys(TABLES)) {
    const left = await fileLeft(store, name);
    if (left === undefined) continue;
    throw new Failure(what, {
      code: 'lake.no_catalog',
      fault: 'user',
      why: `there are files of ${name} in ${store.root}, and ${why}`,
      hint: 'put a copy of the catalog back, or make it anew from the metadata files, before anything writes here',
      docs: 'docs/how-to/recover.md#the-catalog-file-is-lost',
    });
  }
}

/** A folder that this user may not look into is an error, not an absence. */
async function isThere(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  return found !== undefined;
}

export async function openStore(
  { settings, clock }: { settings: Settings; clock: Clock },
  { warehouse, copies }: Places,
): Promise<LakeParts> {
  const root = settings['store.url'];
  if (root === undefined) {
    const store = openDiskStore({ root: warehouse });
    return { store, files: inPlace(store) };
  }
  const pathStyle = settings['store.pathStyle'];
  const store = openS3Store({
    ...{ root, clock, credentials: chainedCredentials(), ...addressOf(settings) },
    ...(pathStyle !== undefined && { pathStyle }),
    limits: {
      requests: settings['store.requests'],
      part_bytes: settings['store.partSize'],
      uploadMemory_bytes: settings['store.uploadMemory'],
      silence_ms: settings['store.timeout'],
    },
  });
  const files = remoteFiles({
    folder: copies,
    most_bytes: settings['store.cache'],
    read: (location, range) => store.read(location, range),
  });
  return { store: keepingWritten(store, files), files };
}

function addressOf(settings: Settings): { endpoint?: string; region?: string } {
  const [endpoint, region] = [settings['store.endpoint'], settings['store.region']];
  return {
    ...(endpoint !== undefined && { endpoint }),
    // A store that is not Amazon's has no regions, but signatures have.
    ...(region !== undefined ? { region } : endpoint !== undefined && { region: 'us-east-1' }),
  };
}

/**
 * How other programs reach the files by themselves: by which address, and with this process's own credentials only
 * where `serve.credentials` says so. Undefined where the files are on this machine.
 */
export function fileAccessOf(settings: Settings): (() => Promise<FileAccess>) | undefined {
  if (settings['store.url'] === undefined) return undefined;
  const { endpoint, region } = addressOf(settings);
  const address = {
    ...(endpoint !== undefined && { 's3.endpoint': endpoint }),
    // The first is what Java reads, the second what the others do.
    ...(region !== undefined && { 'client.region': region, 's3.region': region }),
    's3.path-style-access': String(settings['store.pathStyle'] ?? endpoint !== undefined),
  };
  if (settings['serve.credentials'] === 'client') return async () => address;
  const credentials = chainedCredentials();
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken } =
      typeof credentials === 'function' ? await credentials() : credentials;
    return {
      ...address,
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      ...(sessionToken !== undefined && { 's3.session-token': sessionToken }),
    };
  };
}

/** What this machine wrote it soon reads again: raw for staging, staging for questions. */
function keepingWritten(
  store: ObjectStore,
  { keep }: Pick<ReturnType<typeof remoteFiles>, 'keep'>,
): ObjectStore {
  return {
    root: store.root,
    read: (location, range) => store.read(location, range),
    head: (location) => store.head(location),
    write: (location, bytes) => store.write(location, bytes),
    writeIfAbsent: (location, bytes) => store.writeIfAbsent(location, bytes),
    writeIfMatch: (location, bytes, etag) => store.writeIfMatch(location, bytes, etag),
    async moveIn(files) {
      await Promise.all(files.map(({ localPath, location }) => keep(localPath, location)));
      await store.moveIn(files);
    },
    localPath: (location) => store.localPath(location),
    list: (prefix) => store.list(prefix),
    delete: (locations) => store.delete(locations),
  };
}

export async function openCatalog(
  { settings, clock }: { settings: Settings; clock: Clock },
  { store, sqlite, access }: { store: ObjectStore; sqlite: string; access: Access },
): Promise<Catalog> {
  const random = Math.random;
  switch (kindOf(settings)) {
    case 'sqlite':
      if (access !== 'reads') await makeFolder(dirname(sqlite));
      return openSqliteCatalog({ path: sqlite, readOnly: access === 'reads' });
    case 'bucket':
      return openBucketCatalog({
        ...{ store, clock, random },
        tried: access === 'reads' || access === 'sends' ? 'before-changes' : 'at-open',
      });
    case 'rest': {
      const warehouse = settings['catalog.warehouse'];
      return openRestCatalog({
        ...{ uri: needed(settings, 'catalog.uri'), auth: authOf(settings), root: store.root, clock, random },
        ...(warehouse !== undefined && { warehouse }),
      });
    }
  }
}

function kindOf(settings: Settings): 'sqlite' | 'bucket' | 'rest' {
  const kind = settings['catalog.kind'];
  if (kind !== 'auto') return kind;
  if (settings['catalog.uri'] !== undefined) return 'rest';
  return settings['store.url'] === undefined ? 'sqlite' : 'bucket';
}

function authOf(settings: Settings): RestAuth {
  switch (settings['catalog.auth']) {
    case 'none':
      return { kind: 'none' };
    case 'bearer':
      return { kind: 'bearer', token: needed(settings, 'catalog.token') };
    case 'oauth2':
      return oauth2(settings);
    case 'sigv4':
      return {
        kind: 'sigv4',
        region: needed(settings, 'store.region'),
        service: settings['catalog.service'],
        credentials: chainedCredentials(),
      };
  }
}

function oauth2(settings: Settings): RestAuth {
  const client = needed(settings, 'catalog.client');
  const colon = client.indexOf(':');
  if (colon <= 0) throw wrong('catalog.client', 'it has no colon between id and secret');
  const [scope, serverUri] = [settings['catalog.scope'], settings['catalog.tokenUri']];
  return {
    kind: 'oauth2',
    clientId: client.slice(0, colon),
    clientSecret: client.slice(colon + 1),
    ...(scope !== undefined && { scope }),
    ...(serverUri !== undefined && { serverUri }),
  };
}

type Text = 'catalog.uri' | 'catalog.token' | 'catalog.client' | 'store.region';

function needed(settings: Settings, name: Text): string {
  const value = settings[name];
  if (value === undefined) throw wrong(name, 'it is not set, and catalog.kind and catalog.auth need it');
  return value;
}

const wrong = (name: string, why: string) =>
  new Failure(`cannot open the catalog: ${name}`, {
    code: 'config.bad_catalog',
    fault: 'user',
    why,
    hint: `set ${name} in lakeward.config.ts or the environment`,
    docs: 'docs/reference/configuration.md',
  });
