/**
 * Files below a table's location that nothing in it refers to: left by commits that did not happen, by crashes, by
 * outcomes that stayed unknown. A file is one only when it is older than the grace by the store's own clock, and when
 * the table as it is *after* the listing does not know it: whatever is being prepared is younger, and whatever was
 * committed meanwhile is known. The store's clock is read by writing; who deletes nothing goes by this machine's.
 */

import { Failure } from '../../base/base.ts';
import { asWeSpellIt } from '../../object-store/object-store.ts';
import type { CommitPorts } from '../commit/ports.ts';
import { allEntries } from '../commit/remove.ts';
import type { Table } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import type { ListedManifest } from '../table/manifest-list.ts';
import { statisticsPaths } from '../table/updates/statistics.ts';
import { keptBy, manifestsOf } from './reachable.ts';

type Ports = Pick<CommitPorts, 'store' | 'clock' | 'random' | 'catalog' | 'versions'>;

export interface OrphanSearch {
  /** Only files that are older. */
  grace_ms: number;
  /** Manifests that something other than the table's metadata refers to: they and their files are no orphans. */
  keepManifests: readonly string[];
  /**
   * Commits something to the table; called when old files were found, before it is decided which of them nothing refers
   * to. Whoever wrote some of them, and sleeps between its last look at the table and its commit, then loses that commit,
   * and finds that it was prepared too long ago. Only who deletes nothing may leave it out, and writes nothing then.
   */
  fence?: () => Promise<unknown>;
}

export interface Orphan {
  location: string;
  size_bytes: number;
}

/** Candidates held at once, about 200 bytes each. */
const BATCH = 100_000;

export async function* findOrphans(
  ports: Ports,
  name: string,
  search: OrphanSearch,
): AsyncIterable<readonly Orphan[]> {
  const { location } = (await tableNow(ports, name)).metadata;
  const now_ms = search.fence === undefined ? ports.clock.now() : await storeTime_ms(ports, location);
  const before_ms = now_ms - search.grace_ms;
  const others = await otherTables(ports, name);
  let candidates = new Map<string, Orphan>();
  for await (const object of ports.store.list(`${location}/`)) {
    const name = asWeSpellIt(object.location);
    if (object.modifiedAt_ms >= before_ms || others.some((other) => name.startsWith(other))) continue;
    candidates.set(name, { location: object.location, size_bytes: object.size });
    if (candidates.size < BATCH) continue;
    yield await unknownTo(ports, candidates, { name, search });
    candidates = new Map();
  }
  if (candidates.size > 0) yield await unknownTo(ports, candidates, { name, search });
}

/** What is left of the candidates once everything that the table refers to is struck out. */
async function unknownTo(
  ports: Ports,
  candidates: Map<string, Orphan>,
  { name, search }: { name: string; search: OrphanSearch },
): Promise<Orphan[]> {
  await search.fence?.();
  const table = await tableNow(ports, name);
  const { metadata, metadataLocation } = table;
  const strike = (location: string) => candidates.delete(asWeSpellIt(location));
  strike(metadataLocation);
  for (const { 'metadata-file': file } of metadata['metadata-log']) strike(file);
  for (const file of statisticsPaths(metadata)) strike(file);
  for (const { 'manifest-list': list } of metadata.snapshots) strike(list);
  const manifests = await manifestsOf(ports, table, metadata.snapshots);
  for (const manifest of manifests.values()) {
    refuseUnread(table, manifest);
    strike(manifest.location);
    // Files that an older snapshot still holds are live in a manifest of its own.
    const entries = candidates.size === 0 ? [] : await allEntries(ports, table, manifest);
    for (const { status, file } of entries) if (status !== 'deleted') strike(file.location);
  }
  if (candidates.size === 0) return [];
  for (const location of await keptBy(ports, table, search.keepManifests)) candidates.delete(location);
  return [...candidates.values()];
}

async function tableNow({ versions }: Ports, name: string): Promise<Table> {
  const table = await versions.load(name);
  if (table !== undefined) return table;
  throw new Failure(`there is no table ${name}`, { code: 'lake.no_such_table', fault: 'user' });
}

/** Prefixes of what belongs to other tables of the catalog, which may lie below this one. */
async function otherTables({ catalog, versions }: Ports, name: string): Promise<string[]> {
  const prefixes: string[] = [];
  for (const other of await catalog.list()) {
    const table = other === name ? undefined : await versions.load(other);
    if (table !== undefined) prefixes.push(`${asWeSpellIt(table.metadata.location)}/`);
  }
  return prefixes;
}

/** What they refer to is not known, so nothing can be told to be unknown. */
function refuseUnread(table: Table, { content, keyMetadata, location }: ListedManifest): void {
  if (content === 'data' && keyMetadata === undefined) return;
  throw new Failure(`cannot look for orphans of ${table.name}`, {
    code: 'lake.orphans_undecidable',
    fault: 'user',
    why: `the manifest ${location} of another program ${content === 'deletes' ? 'holds delete files' : 'is encrypted'}, which Lakeward does not read`,
    hint: 'remove them with the program that wrote it (remove_orphan_files)',
  });
}

/** By an object that is written for it: only the store knows what time it thinks it is. */
async function storeTime_ms({ store, clock, random }: Ports, table: string): Promise<number> {
  const location = `${table}/metadata/time-${freshUuid({ now_ms: clock.now(), random })}`;
  await store.write(location, new Uint8Array(1));
  const written = await store.head(location);
  await store.delete([location]);
  if (written !== undefined) return written.modifiedAt_ms;
  throw new Failure(`cannot tell the time of the store`, {
    code: 'lake.no_store_time',
    fault: 'service',
    retry: 'backoff',
    why: `${location} was written and is not there`,
  });
}
