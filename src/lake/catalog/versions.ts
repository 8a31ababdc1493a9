/**
 * A table's versions, whatever kind of catalog keeps them: the current one, a first one, and the next one, staged so
 * that only sending it is left. For a keeper of pointers the metadata file is written here.
 */

import type { LakeOptions, Table, TableDefinition } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { tableLocation } from '../table/locations.ts';
import { newTable } from '../table/next-metadata.ts';
import { applyUpdates, type TableUpdate } from '../table/table-update.ts';
import type { PointerCatalog, ServiceCatalog } from './catalog.ts';
import { loadPointed } from './load-pointed.ts';
import { movePointer, stagePointed } from './stage-pointed.ts';

type Ports = Pick<Required<LakeOptions>, 'catalog' | 'store' | 'clock' | 'random'>;

export interface Versions {
  load(name: string, known?: Table): Promise<Table | undefined>;
  /**
   * A table without a snapshot, at the location or in the plain folder of its name; `exists` when there is one of this
   * name. Only a service has it from then on.
   */
  begin(name: string, definition: TableDefinition, location?: string): Promise<Table | 'exists'>;
  /** Writes what has to be durable before the catalog is told. */
  stage(base: Table, update: TableUpdate): Promise<StagedVersion>;
}

export interface StagedVersion {
  /** Of this attempt alone; nothing refers to them when it did not happen. */
  files: readonly string[];
  /** The compare-and-swap, once. Throws as `swap` of a catalog does. */
  send(): Promise<{ table: Table; forgotten: readonly string[] } | 'conflict'>;
}

export function versionsOf(ports: Ports): Versions {
  const { catalog } = ports;
  return 'swap' in catalog ? pointedVersions({ ...ports, catalog }) : servedVersions(catalog);
}

/** A table that no pointer names yet. */
const UNPUBLISHED = '';

function pointedVersions(ports: Ports & { catalog: PointerCatalog }): Versions {
  const { catalog, store, clock, random } = ports;
  return {
    load: (name, known) => loadPointed(ports, name, { known }),
    async begin(name, definition, location = tableLocation(store.root, name)) {
      const now_ms = clock.now();
      const metadata = newTable(definition, { location, now_ms, uuid: freshUuid({ now_ms, random }) });
      return { name, metadata, metadataLocation: UNPUBLISHED };
    },
    async stage(base, { updates }) {
      const metadata = applyUpdates(base.metadata, updates, { now_ms: clock.now() });
      const from = base.metadataLocation === UNPUBLISHED ? undefined : base;
      const version = await stagePointed(ports, { name: base.name, metadata, from });
      const { table, forgotten, move } = version;
      return {
        files: [move.to],
        async send() {
          const answer = await movePointer({ catalog, clock }, version);
          return answer === 'moved' ? { table, forgotten } : 'conflict';
        },
      };
    },
  };
}

function servedVersions(catalog: ServiceCatalog): Versions {
  return {
    load: (name, known) => catalog.loadTable(name, known),
    begin: (name, definition, location) => catalog.createTable(name, definition, location),
    stage: async (base, update) => ({
      files: [],
      async send() {
        const answer = await catalog.update(base.name, update);
        return answer === 'conflict' ? answer : { table: answer, forgotten: [] };
      },
    }),
  };
}
