/** Tables: listed, made, loaded, committed to, renamed, dropped. */
import { createHash } from 'node:crypto';
import type { Table } from '../lake.ts';
import { asWritten } from '../table/format-versions.ts';
import type { TableMetadata } from '../table/metadata.ts';
import { commitAll, type NamedUpdate } from './commits.ts';
import { createTable } from './create-table.ts';
import { identifierOf, levels, namespaceInPath, tableInBody, tableInPath, tableNamed } from './names.ts';
import { pageOf } from './pages.ts';
import { purge } from './purge.ts';
import { Members } from './read-json.ts';
import { badRequest, noSuchTable, RestError, tableExists } from './rest-error.ts';
import type { FileAccess } from './rest-server.ts';
import type { Answer, RestRequest } from './route.ts';
import type { Service } from './service.ts';
import { allowedLocation } from './table-location.ts';
import { tableUpdateOf } from './update-request.ts';

const TRANSACTION_TABLES_MAX = 100;

export async function listTables(service: Service, { path, query }: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(path('namespace'));
  await service.requireNamespace(namespace);
  const all = await service.ports.catalog.list();
  const depth = levels(namespace).length + 1;
  const own = all.filter((name) => name.startsWith(`${namespace}.`) && levels(name).length === depth).sort();
  const { names, ...page } = pageOf(own, query);
  return { status: 200, body: { identifiers: names.map(identifierOf), ...page } };
}

export async function createOrStage(service: Service, request: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(request.path('namespace'));
  const { metadata, table } = await createTable(service, namespace, request.body());
  return table === undefined
    ? { status: 200, body: { metadata: served(metadata), config: await service.fileAccess() } }
    : tableAnswer(service, table);
}

export async function registerTable(service: Service, request: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(request.path('namespace'));
  await service.requireNamespace(namespace);
  const body = request.body();
  const name = tableNamed(namespace, body.text('name'));
  const asked = body.text('metadata-location');
  const location = allowedLocation(service.ports.store, asked);
  if (location === undefined) throw badRequest(`${asked} lies outside of the warehouse`);
  const metadata = await service.readMetadata(location);
  await point(service, { name, location, overwrite: body.boolean('overwrite') });
  const table = { name, metadata, metadataLocation: location };
  service.remember(table);
  return tableAnswer(service, table);
}

async function point(
  { ports: { catalog } }: Service,
  { name, location, overwrite }: { name: string; location: string; overwrite: boolean },
): Promise<void> {
  if ((await catalog.create(name, location)) === 'created') return;
  const pointer = overwrite ? await catalog.load(name) : undefined;
  if (pointer === undefined) throw tableExists(name);
  if ((await catalog.swap(name, { from: pointer.metadataLocation, to: location })) === 'conflict')
    throw new RestError(409, 'CommitFailedException', `${name} was changed while it was registered anew`);
}

export async function loadTable(service: Service, { path, query, header }: RestRequest): Promise<Answer> {
  const table = await service.load(nameIn(path));
  const snapshots = query.get('snapshots') ?? 'all';
  if (snapshots !== 'all' && snapshots !== 'refs') throw badRequest(`Invalid snapshot mode: ${snapshots}`);
  const config = await service.fileAccess();
  const etag = etagOf(table, { snapshots, config });
  const known = (header('if-none-match') ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (known.includes(etag)) return { status: 304, headers: { etag } };
  return answerOf(table, { snapshots, config });
}

export async function tableIsThere({ ports }: Service, { path }: RestRequest): Promise<Answer> {
  const name = nameIn(path);
  if ((await ports.catalog.load(name)) === undefined) throw noSuchTable(name);
  return { status: 204 };
}

export async function commitTable(service: Service, request: RestRequest): Promise<Answer> {
  const [table] = await commitAll(service, [
    { name: nameIn(request.path), ...tableUpdateOf(request.body()) },
  ]);
  return tableAnswer(service, table!);
}

export async function commitTransaction(service: Service, request: RestRequest): Promise<Answer> {
  const changes = request.body().list('table-changes');
  if (changes.length > TRANSACTION_TABLES_MAX)
    throw badRequest(`a transaction changes at most ${TRANSACTION_TABLES_MAX} tables`);
  const updates = changes.map((value): NamedUpdate => {
    const change = new Members(value, 'table change');
    return { name: tableInBody(change.object('identifier')), ...tableUpdateOf(change) };
  });
  if (new Set(updates.map(({ name }) => name)).size < updates.length)
    throw badRequest('a transaction names each table once');
  if (updates.length > 1 && service.ports.catalog.swapAll === undefined)
    throw badRequest('this catalog changes one table at a time');
  await commitAll(service, updates);
  return { status: 204 };
}

export async function dropTable(service: Service, { path, query }: RestRequest): Promise<Answer> {
  const name = nameIn(path);
  const isPurge = query.get('purgeRequested')?.toLowerCase() === 'true';
  const table = isPurge ? await service.load(name) : undefined;
  if ((await service.ports.catalog.drop(name)) === 'missing') throw noSuchTable(name);
  if (table !== undefined) await purge(service, table);
  return { status: 204 };
}

export async function renameTable(service: Service, request: RestRequest): Promise<Answer> {
  const { catalog } = service.ports;
  if (catalog.rename === undefined)
    throw new RestError(406, 'UnsupportedOperationException', 'This catalog does not rename tables');
  const body = request.body();
  const from = tableInBody(body.object('source'));
  const to = tableInBody(body.object('destination'));
  if ((await catalog.load(from)) === undefined) throw noSuchTable(from);
  await service.requireNamespace(to.slice(0, to.lastIndexOf('.')));
  const answer = await catalog.rename({ from, to });
  if (answer === 'missing') throw noSuchTable(from);
  if (answer === 'exists') throw tableExists(to);
  return { status: 204 };
}

/** What clients measure is theirs to keep; it is taken, so that they need no setting to be quiet. */
export async function takeMetrics(): Promise<Answer> {
  return { status: 204 };
}

const nameIn = (path: RestRequest['path']): string =>
  tableInPath({ namespace: path('namespace'), table: path('table') });

interface Shown {
  snapshots: 'all' | 'refs';
  config: FileAccess;
}

async function tableAnswer(service: Service, table: Table): Promise<Answer> {
  return answerOf(table, { snapshots: 'all', config: await service.fileAccess() });
}

function answerOf(table: Table, shown: Shown): Answer {
  const metadata = shown.snapshots === 'all' ? table.metadata : referencedOnly(table.metadata);
  return {
    status: 200,
    headers: { etag: etagOf(table, shown) },
    body: {
      'metadata-location': table.metadataLocation,
      metadata: served(metadata),
      config: shown.config,
    },
  };
}

/** Without a snapshot the key is left out: DuckDB takes no `null` for a number. */
function served(metadata: TableMetadata): object {
  const { 'current-snapshot-id': current, ...rest } = asWritten(metadata) as TableMetadata;
  return current === null ? rest : { ...rest, 'current-snapshot-id': current };
}

/**
 * A metadata file never changes, so its name stands for what is in it. Credentials that were renewed make another
 * answer of it: a client would otherwise keep those that run out.
 */
function etagOf({ metadataLocation }: Table, { snapshots, config }: Shown): string {
  const content = `${snapshots} ${metadataLocation} ${JSON.stringify(config)}`;
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
}

function referencedOnly(metadata: TableMetadata): TableMetadata {
  const named = new Set(Object.values(metadata.refs).map((ref) => ref['snapshot-id']));
  return {
    ...metadata,
    snapshots: metadata.snapshots.filter((snapshot) => named.has(snapshot['snapshot-id'])),
  };
}
