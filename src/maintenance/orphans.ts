/**
 * Files that nothing refers to: left by commits that did not happen, crashes, and outcomes that stayed unknown. The lake
 * finds them, by the store's own clock; here is only what it cannot know: which manifests wait to be adopted, and which
 * commits could still bring old files in.
 */
import type { Table } from '../lake/lake.ts';
import { QUARANTINE_NAME, RAW_NAME } from '../tables/tables.ts';
import { namedByRaw } from './named-by-raw.ts';
import { collectsGarbage, commitMaintenance, note, type TableRound } from './table-round.ts';

/** No prepared batch is committed that is older than a third of this: INVARIANTS. */
const GRACE_MS = 3 * 86_400_000;

/** Locations deleted by one request to the store at most. */
const DELETED_AT_ONCE = 1_000;

export async function removeOrphans(round: TableRound, table: Table): Promise<void> {
  if (!collectsGarbage(round, table)) return;
  const { lake, signal } = round.options;
  const keepManifests: string[] = [];
  const refresh = async () => {
    keepManifests.splice(0, Number.POSITIVE_INFINITY, ...(await namedByRaw(lake, table)));
  };
  // What waits is asked for after the fence: a commit of raw that was on its way is there by then, or never.
  const fence = () => makeVoid(round, table).then(refresh);
  await refresh();
  const search = { grace_ms: GRACE_MS, keepManifests, ...(round.dryRun ? {} : { fence }) };
  let count = 0;
  let bytes = 0;
  for await (const some of lake.orphans(table.name, search)) {
    if (signal.aborted) break;
    count += some.length;
    bytes += some.reduce((sum, orphan) => sum + orphan.size_bytes, 0);
    if (round.dryRun) continue;
    for (let first = 0; first < some.length; first += DELETED_AT_ONCE)
      await lake.store.delete(some.slice(first, first + DELETED_AT_ONCE).map(({ location }) => location));
  }
  if (count === 0) return;
  const clock = round.dryRun ? 'this machine’s clock' : 'the clock of the store';
  const why = `nothing refers to them, for three days by ${clock}`;
  note(round, { action: 'remove orphans', count, bytes, why }, round.dryRun ? 'planned' : 'done');
}

/**
 * An empty commit, so that a writer that slept since it last looked loses its own. Quarantine's files come in by commits
 * of raw, which name their manifests.
 */
async function makeVoid(round: TableRound, table: Table): Promise<void> {
  await commitMaintenance(round, table, { change: { operation: 'replace' } });
  if (table.name !== QUARANTINE_NAME) return;
  const raw = await round.options.lake.load(RAW_NAME);
  if (raw !== undefined) await commitMaintenance(round, raw, { change: { operation: 'replace' } });
}
