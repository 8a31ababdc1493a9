import {
  type Cell,
  type Engine,
  localPaths,
  type ScanFilters,
  type ViewDefinition,
} from '../engine/engine.ts';
import type { DataFile, Lake, Schema, Table } from '../lake/lake.ts';
import { TABLES } from '../tables/tables.ts';
import type { Planned, Query } from './query.ts';

interface Source {
  view: string;
  schema: Schema;
  /** Undefined for a table of ours that no commit has made yet. */
  table: Table | undefined;
}

export function openViews({ lake, engine }: { lake: Lake; engine: Engine }): Query {
  const run: Query['run'] = async (sql) => {
    const sources = await loadSources(lake);
    await engine.defineViews(sources.map((source) => definition(source, [])));
    const scans = await engine.scanFilters(sql);
    const planned: Planned['tables'][number][] = [];
    for (const source of sources) {
      const own = scans.filter((scan) => scan.view === source.view);
      if (source.table === undefined || own.length === 0) continue;
      const { files, listed, opened } = await planFiles(lake, { table: source.table, scans: own });
      const rows = files.reduce((sum, file) => sum + file.recordCount, 0);
      planned.push({ view: source.view, files: files.length, of: listed, rows, manifestsOpened: opened });
      await engine.defineViews([definition(source, localPaths(lake, files))]);
    }
    return { ...(await engine.query(sql)), planned: { tables: planned } };
  };
  return {
    run,
    async all(sql) {
      const { columns, chunks, planned } = await run(sql);
      const rows: Record<string, Cell>[] = [];
      for await (const chunk of chunks()) {
        for (const row of chunk) rows.push(Object.fromEntries(columns.map((c, i) => [c.name, row[i]!])));
      }
      return { rows, planned };
    },
  };
}

async function loadSources(lake: Lake): Promise<Source[]> {
  const names = new Set([...Object.keys(TABLES), ...(await lake.list())]);
  return Promise.all(
    [...names].map(async (view) => {
      const table = await lake.load(view);
      return { view, table, schema: table === undefined ? TABLES[view]!.schema : currentSchema(table) };
    }),
  );
}

function currentSchema({ metadata }: Table): Schema {
  const schema = metadata.schemas.find((s) => s['schema-id'] === metadata['current-schema-id']);
  return schema as Schema;
}

/** Two scans of one table with different filters read the files of either. */
async function planFiles(lake: Lake, { table, scans }: { table: Table; scans: readonly ScanFilters[] }) {
  const files = new Map<string, DataFile>();
  let listed = 0;
  let opened = 0;
  for (const { filters } of scans) {
    const plan = await lake.files(table, { where: filters });
    for (const file of plan.files) files.set(file.location, file);
    listed = Number(lastSnapshotFiles(table) ?? plan.listed);
    opened += plan.manifests.opened;
  }
  return { files: [...files.values()], listed, opened };
}

function lastSnapshotFiles({ metadata }: Table): string | undefined {
  const current = metadata.snapshots.find((s) => s['snapshot-id'] === metadata['current-snapshot-id']);
  return current?.summary['total-data-files'];
}

function definition({ view, schema }: Source, paths: readonly string[]): ViewDefinition {
  const [namespace, name] = view.split('.') as [string, string];
  return {
    schema: namespace,
    name,
    paths,
    columns: schema.fields.map((f) => ({ name: f.name, type: sqlType(f.type) })),
  };
}

const SQL_TYPES: Record<string, string> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  binary: 'BLOB',
};

/** Nested and unknown types of tables that others made are read by DuckDB as the files have them. */
function sqlType(type: unknown): string {
  if (typeof type !== 'string') return 'JSON';
  return SQL_TYPES[type] ?? type.replace('decimal', 'DECIMAL');
}
