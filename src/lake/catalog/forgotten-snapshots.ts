/**
 * Snapshots that a table's current version does not hold any more, out of its older versions, for whoever has to know
 * what a line that ends in a missing parent led to. Read only where the asker cannot tell without them: that is rare,
 * and as many reads as versions.
 */
import { Failure } from '../../base/base.ts';
import type { LakeOptions, Table } from '../lake.ts';
import { parseMetadata, type Snapshot } from '../table/metadata.ts';
import { readMetadata } from './load-pointed.ts';
import type { Versions } from './versions.ts';

/** Iceberg keeps 100 versions by default. */
const VERSIONS_MOST = 200;

export function withForgotten(
  inner: Versions,
  { store, needsForgotten }: Pick<LakeOptions, 'store' | 'needsForgotten'>,
): Versions {
  if (needsForgotten === undefined) return inner;
  return {
    ...inner,
    async load(name, known) {
      const table = await inner.load(name, known);
      return table === undefined || table === known ? table : complete(table, { store, needsForgotten });
    },
    async stage(base, update) {
      const { files, send } = await inner.stage(base, update);
      return {
        files,
        async send() {
          const answer = await send();
          const { forgotten } = base;
          return answer === 'conflict' || forgotten === undefined
            ? answer
            : { ...answer, table: { ...answer.table, forgotten } };
        },
      };
    },
  };
}

async function complete(
  table: Table,
  { store, needsForgotten }: { store: LakeOptions['store']; needsForgotten: (table: Table) => boolean },
): Promise<Table> {
  const forgotten = new Map<bigint, Snapshot>();
  const found = { ...table, forgotten };
  const older = table.metadata['metadata-log'].toReversed().slice(0, VERSIONS_MOST);
  for (const { 'metadata-file': location } of older) {
    if (!needsForgotten(found)) break;
    const version = await readMetadata(store, location, parseMetadata).catch(notThere);
    // Versions are deleted from the oldest on.
    if (version === undefined) break;
    for (const snapshot of version.snapshots)
      if (!forgotten.has(snapshot['snapshot-id'])) forgotten.set(snapshot['snapshot-id'], snapshot);
  }
  return forgotten.size === 0 ? table : found;
}

function notThere(error: unknown): undefined {
  if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
  throw error;
}
