/**
 * A table comes into being with an empty snapshot, so that every later commit has a base to be judged against. Two
 * that create the same table at once agree on the one that the catalog took. A service makes the table first and gets
 * the snapshot after: one that is found without a snapshot gets it from whoever finds it. Where a table lies in its
 * place that the catalog does not name and nobody dropped, there is Failure `lake.table_left`.
 */
import { Failure } from '../../base/base.ts';
import type { Change, Table, TableDefinition } from '../lake.ts';
import { currentSnapshot } from '../table/metadata.ts';
import { withinStore } from '../table/within-store.ts';
import { pause } from './load.ts';
import type { CommitPorts } from './ports.ts';
import { type Attempt, writeAttempt } from './stage.ts';
import { fileLeft, placeBeside } from './table-left.ts';

export interface Creation {
  definition: TableDefinition;
  first: Omit<Change, 'manifests' | 'operation'>;
}

export async function createTable(ports: CommitPorts, name: string, creation: Creation): Promise<Table> {
  const { versions, commitAttempts } = ports;
  let uncertain = false;
  let last: unknown;
  let attempt: Attempt | undefined;
  for (let attempts = 0; attempts < commitAttempts; attempts++) {
    const existing = await versions.load(name);
    if (existing !== undefined && currentSnapshot(existing.metadata) !== undefined) {
      // A request that was sent twice finds what it made itself; what others made of the table since says nothing.
      const isOther = existing.metadata['table-uuid'] !== attempt?.tableUuid;
      if (attempt !== undefined && !uncertain && isOther) await discard(ports, attempt);
      return existing;
    }
    try {
      const base = existing ?? (await begin(ports, name, creation));
      if (base !== 'exists') {
        attempt = await writeFirst(ports, base, creation);
        const answer = await attempt.send();
        if (answer !== 'conflict') return answer.table;
      }
    } catch (error) {
      last = error;
      uncertain ||= !(error instanceof Failure) || error.code === 'catalog.unknown';
      if (!uncertain && attempt !== undefined) await discard(ports, attempt);
      if (error instanceof Failure && error.retry === 'never' && !uncertain) throw error;
    }
    await pause(ports, attempts);
  }
  // Nothing was sent that could have been carried out: what stood in the way is known, a full disk for example.
  if (last instanceof Failure && !uncertain) throw last;
  throw new Failure(`cannot tell whether the table ${name} was created`, {
    code: 'lake.commit_unknown',
    fault: 'service',
    retry: 'refresh',
    why: last instanceof Error ? last.message : 'others were faster at every attempt',
    hint: 'once the catalog answers, the table is there or it is made',
    cause: last,
  });
}

async function begin(ports: CommitPorts, name: string, { definition }: Creation): Promise<Table | 'exists'> {
  const { store, versions } = ports;
  const left = await fileLeft(store, name);
  if (left === undefined) return versions.begin(name, definition);
  // Who was faster may have written there by now.
  if ((await versions.load(name)) !== undefined) return 'exists';
  return versions.begin(name, definition, await placeBeside(ports, { name, left }));
}

async function writeFirst(ports: CommitPorts, base: Table, { first }: Creation): Promise<Attempt> {
  withinStore(ports.store.root, base);
  const attempt = await writeAttempt(ports, base, { ...first, operation: 'append', manifests: [] });
  if (!('refused' in attempt)) return attempt;
  throw new Failure(`cannot create the table ${base.name}`, {
    code: 'lake.create_refused',
    fault: 'ourselves',
    why: attempt.refused,
  });
}

async function discard({ store, log }: CommitPorts, attempt: Attempt): Promise<void> {
  await store.delete(attempt.files).catch((error: unknown) => {
    log.warn('lake.delete_failed', 'the files of a lost creation could not be deleted', {
      why: String(error),
    });
  });
}
