import { withForgotten } from './catalog/forgotten-snapshots.ts';
import { versionsOf } from './catalog/versions.ts';
import { expiredFiles } from './cleaning/expired-files.ts';
import { findOrphans } from './cleaning/orphans.ts';
import { overflowSpecs } from './commit/add-overflow-spec.ts';
import { commitChange } from './commit/commit.ts';
import { createTable } from './commit/create.ts';
import { mergeManifests } from './commit/merge.ts';
import { prepareManifests, readPrepared } from './commit/prepare.ts';
import type { Lake, LakeOptions, Table } from './lake.ts';
import { planFiles } from './scan/plan-files.ts';
import { freshUuid } from './table/fresh-ids.ts';
import { dataLocation } from './table/locations.ts';
import { withinStore } from './table/within-store.ts';

/** About 2 MB of a manifest: small enough to be read in one go, large enough that a table has few. */
const MANIFEST_FILES = 10_000;
const COMMIT_ATTEMPTS = 20;

export function openTables(options: LakeOptions): Lake {
  const defaults = {
    manifestFiles: MANIFEST_FILES,
    commitAttempts: COMMIT_ATTEMPTS,
    formatVersion: 2 as const,
  };
  const ports = { ...defaults, ...options, versions: withForgotten(versionsOf(options), options) };
  const { store, catalog, versions, clock, random, formatVersion } = ports;
  // Parsing a table's metadata takes milliseconds; most loads find the version that the last one found.
  const latest = new Map<string, Table>();
  const remember = (table: Table): Table => {
    latest.set(table.name, table);
    return table;
  };

  const withOverflow = overflowSpecs(ports);

  return {
    store,
    async load(name) {
      const table = await versions.load(name, latest.get(name));
      if (table === undefined) latest.delete(name);
      return table && remember(withinStore(store.root, table));
    },
    create: async (name, definition, first) =>
      remember(await createTable(ports, name, { definition: { formatVersion, ...definition }, first })),
    list: () => catalog.list(),
    async withOverflow(table) {
      const found = await withOverflow(table);
      if (found !== undefined && found.table !== table) remember(found.table);
      return found;
    },
    newFileLocation: (table, hint) =>
      dataLocation(table.metadata.location, { uuid: freshUuid({ now_ms: clock.now(), random }), hint }),
    prepare: (table, files) => prepareManifests(ports, table, files),
    mergeManifests: (table) => mergeManifests(ports, table),
    async deleteExpired(expiry) {
      const expired = await expiredFiles(ports, expiry);
      await store.delete(expired.locations);
      return { files: expired.locations.length, dataFiles: expired.dataFiles };
    },
    orphans: (name, search) => findOrphans(ports, name, search),
    readManifest: (table, location) => readPrepared(ports, table, location),
    async commit(table, change) {
      const outcome = await commitChange(ports, table, change);
      remember(outcome.table);
      return outcome;
    },
    files: (table, query) => planFiles(ports, table, query),
    close: () => catalog.close(),
  };
}
