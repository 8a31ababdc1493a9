/**
 * The one commit of a run: the rows, which days they are of, how far the sources were read, and by which definition. It
 * is valid only on the base that it was planned on, replaces aside: another run or backfill that came first is never
 * overwritten; the loser plans again.
 */
import type { DataFile, Table } from '../lake/lake.ts';
import { advance, type Consumed, TRANSFORM_KEY } from '../tables/tables.ts';
import { rangesOf } from './days.ts';
import type { Mart } from './mart.ts';
import { martProperty, martRecord, outdatedAfter, type RunRecord, runSummary } from './record.ts';
import type { TransformsOptions } from './transforms.ts';

export interface Move {
  table: string;
  from: Consumed | undefined;
  to: Consumed;
}

export interface RunCommit {
  kind: RunRecord['kind'];
  /** Computed anew by this commit. */
  days: readonly number[];
  files: readonly DataFile[];
  remove: readonly DataFile[];
  moves: readonly Move[];
  read: readonly DataFile[];
  started_ms: number;
  /** Days of which the mart holds rows; asked for only where an older definition made them. */
  held: () => Promise<Iterable<number>>;
}

export type Committed = { record: RunRecord; table: Table } | 'refused';

export async function commitRun(
  options: TransformsOptions,
  { transform, table, definition }: Mart,
  commit: RunCommit,
): Promise<Committed> {
  const { lake, clock, log, newId, writer } = options;
  const { files, remove, moves, kind } = commit;
  const record: RunRecord = {
    kind,
    definition,
    days: rangesOf(commit.days),
    rows: rowsIn(files),
    removed: rowsIn(remove),
    read: { files: commit.read.length, bytes: commit.read.reduce((sum, file) => sum + file.fileSize, 0) },
    took_ms: clock.now() - commit.started_ms,
  };
  const before = martRecord(table)!;
  const held = before.definition === definition ? [] : await commit.held();
  const outdated = outdatedAfter(before, { definition, days: new Set(commit.days), held });
  const outcome = await lake.commit(table, {
    commitId: newId(),
    operation: remove.length > 0 ? 'overwrite' : files.length > 0 ? 'append' : 'replace',
    manifests: files.length === 0 ? [] : await lake.prepare(table, files),
    remove,
    preparedAt_ms: commit.started_ms,
    stage: (base, attempt) => {
      const staged = advance(base, attempt, {
        writer,
        judged: {
          uuid: table.metadata['table-uuid'],
          snapshot: table.metadata['current-snapshot-id']!,
          survives: 'replaces',
        },
        consumed: moves,
        tally: { received: record.rows, written: record.rows, removed: record.removed },
      });
      if ('refused' in staged) return staged;
      return {
        summary: { ...staged.summary, [TRANSFORM_KEY]: runSummary(record) },
        properties: { ...staged.properties, [TRANSFORM_KEY]: martProperty({ definition, outdated }) },
      };
    },
  });
  if (outcome.kind === 'committed') {
    options.onCommit?.({ name: transform.name, run: record });
    return { record, table: outcome.table };
  }
  log.info('transform.refused', 'the mart changed meanwhile; planning again', {
    transform: transform.name,
    why: outcome.why,
  });
  return 'refused';
}

const rowsIn = (files: readonly DataFile[]) => files.reduce((sum, file) => sum + file.recordCount, 0);
