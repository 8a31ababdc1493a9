import { Failure, Turns } from '../base/base.ts';
import type { Cell, Engine, ScanFilters } from '../engine/engine.ts';
import {
  currentFields,
  currentSnapshot,
  type DataFile,
  type Lake,
  type Schema,
  type Table,
} from '../lake/lake.ts';
import { TABLES } from '../tables/tables.ts';
import { definition } from './definition.ts';
import type { Planned, Query } from './query.ts';

interface Source {
  view: string;
  schema: Schema;
  /** Undefined for a table of ours that no commit has made yet. */
  table: Table | undefined;
}

export function openViews({ lake, engine }: { lake: Lake; engine: Engine }): Query {
  // Views belong to the engine: of two questions planned at once, one would be asked over the files of the other.
  const planning = new Turns();
  const run: Query['run'] = (sql, options) => planning.take(() => ask({ lake, engine }, sql, options));
  return {
    run,
    async all(sql, options) {
      const { columns, chunks, planned } = await run(sql, options);
      const rows: Record<string, Cell>[] = [];
      for await (const chunk of chunks()) {
        for (const row of chunk) rows.push(Object.fromEntries(columns.map((c, i) => [c.name, row[i]!])));
      }
      return { rows, planned };
    },
  };
}

/** Resolves when the engine has bound the views' files to the question; its answer is read afterwards. */
async function ask(
  { lake, engine }: { lake: Lake; engine: Engine },
  sql: string,
  options?: { signal?: AbortSignal },
): ReturnType<Query['run']> {
  const { sources, unread } = await loadSources(lake);
  await engine.defineViews(sources.map((source) => definition(source.view, source, [])));
  const scans = await engine.scanFilters(sql).catch((error: unknown) => {
    throw unread.find(({ view }) => missesView(error, view))?.reason ?? error;
  });
  const planned: Planned['tables'][number][] = [];
  for (const source of sources) {
    const own = scans.filter((scan) => scan.view === source.view);
    if (source.table === undefined || own.length === 0) continue;
    const { files, listed, manifests } = await planFiles(lake, { table: source.table, scans: own });
    const rows = files.reduce((sum, file) => sum + file.recordCount, 0);
    const [read] = await engine.defineViews([{ ...definition(source.view, source, files), scans: own }]);
    planned.push({
      ...{ view: source.view, files: files.length, of: listed, rows, manifests },
      bytes: {
        planned: files.reduce((sum, file) => sum + file.fileSize, 0),
        of: Number(currentSnapshot(source.table.metadata)?.summary['total-files-size'] ?? 0),
      },
      ...(read && { read }),
    });
  }
  return { ...(await engine.query(sql, options)), planned: { tables: planned } };
}

/** Our tables and those of other programs. One that cannot be loaded does not keep questions from the others. */
async function loadSources(lake: Lake) {
  const names = [...new Set([...Object.keys(TABLES), ...(await lake.list())])];
  const loaded = await Promise.allSettled(
    names.map(async (view): Promise<Source> => {
      const table = await lake.load(view);
      const schema = table === undefined ? TABLES[view]!.schema : { fields: currentFields(table.metadata) };
      return { view, table, schema };
    }),
  );
  return {
    sources: loaded.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
    unread: loaded.flatMap((result, i) =>
      result.status === 'rejected' ? [{ view: names[i]!, reason: result.reason as unknown }] : [],
    ),
  };
}

/** The engine did not find the view: the table that could not be loaded is what was asked for. */
function missesView(error: unknown, view: string): boolean {
  const name = view.slice(view.lastIndexOf('.') + 1);
  return error instanceof Failure && error.code === 'query.failed' && (error.why ?? '').includes(name);
}

/** Two scans of one table with different filters read the files of either. */
async function planFiles(lake: Lake, { table, scans }: { table: Table; scans: readonly ScanFilters[] }) {
  const files = new Map<string, DataFile>();
  let listed = 0;
  const manifests = { listed: 0, opened: 0 };
  for (const { filters } of scans) {
    const plan = await lake.files(table, { where: filters });
    for (const file of plan.files) files.set(file.location, file);
    listed = plan.listed;
    manifests.listed = plan.manifests.listed;
    manifests.opened += plan.manifests.opened;
  }
  return { files: [...files.values()], listed, manifests };
}
