/**
 * A table comes into being with an empty snapshot, so that every later commit has a base to be judged against. Two
 * that create the same table at once agree on the one that the catalog took.
 */
import { Failure } from '../../base/base.ts';
import type { Change, LakeOptions, Table, TableDefinition } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { tableLocation } from '../table/locations.ts';
import { newTable } from '../table/next-metadata.ts';
import { loadTable, pause } from './load.ts';
import { type Attempt, writeAttempt } from './stage.ts';

type Ports = Required<LakeOptions>;

export async function createTable(
  ports: Ports,
  name: string,
  { definition, first }: { definition: TableDefinition; first: Omit<Change, 'manifests' | 'operation'> },
): Promise<Table> {
  const existing = await loadTable(ports, name);
  if (existing !== undefined) return existing;
  const attempt = await writeFirst(ports, name, { definition, first });
  let uncertain = false;
  for (let attempts = 0; attempts < ports.commitAttempts; attempts++) {
    try {
      // The same location again: inserting it a second time can only find the first.
      const answer = await ports.catalog.create(name, attempt.table.metadataLocation);
      if (answer === 'created') return attempt.table;
      const winner = await loadTable(ports, name);
      if (winner !== undefined) {
        const ours = winner.metadata['table-uuid'] === attempt.table.metadata['table-uuid'];
        if (!uncertain && !ours) await discard(ports, attempt);
        return winner;
      }
    } catch (error) {
      uncertain ||= !(error instanceof Failure) || error.code === 'catalog.unknown';
      if (error instanceof Failure && error.retry === 'never' && !uncertain) throw error;
    }
    await pause(ports, attempts);
  }
  throw new Failure(`cannot tell whether the table ${name} was created`, {
    code: 'lake.commit_unknown',
    fault: 'service',
    retry: 'refresh',
    why: 'the catalog did not answer',
  });
}

async function writeFirst(
  ports: Ports,
  name: string,
  { definition, first }: { definition: TableDefinition; first: Omit<Change, 'manifests' | 'operation'> },
): Promise<Attempt> {
  const now_ms = ports.clock.now();
  const location = tableLocation(ports.store.root, name);
  const metadata = newTable(definition, {
    location,
    now_ms,
    uuid: freshUuid({ now_ms, random: ports.random }),
  });
  const table: Table = { name, metadata, metadataLocation: '' };
  const change: Change = { ...first, operation: 'append', manifests: [] };
  const attempt = await writeAttempt(ports, { table, baseLocation: undefined }, change);
  if (!('refused' in attempt)) return attempt;
  throw new Failure(`cannot create the table ${name}`, {
    code: 'lake.create_refused',
    fault: 'ourselves',
    why: attempt.refused,
  });
}

async function discard({ store, log }: Ports, attempt: Attempt): Promise<void> {
  await store.delete(attempt.files).catch((error: unknown) => {
    log.warn('lake.delete_failed', 'the files of a lost creation could not be deleted', {
      why: String(error),
    });
  });
}
