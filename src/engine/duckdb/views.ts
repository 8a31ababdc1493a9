/** Read-only views over files of the lake, which are held until the view is defined anew and nobody reads it. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ScanFilters, ViewDefinition } from '../engine.ts';
import type { HeldFiles, LocalFiles, Need, ReadStats } from '../local-files.ts';
import { engineFailure } from './duckdb.ts';
import { identifier, literal, parquet } from './sql.ts';

export interface Views {
  define(views: readonly ViewDefinition[]): Promise<(ReadStats | undefined)[]>;
  drop(views: readonly Pick<ViewDefinition, 'schema' | 'name'>[]): Promise<void>;
  /** Keeps what the views read now until the answer is called. */
  hold(): () => void;
  close(): void;
}

export function openViews(c: DuckDBConnection, files: LocalFiles): Views {
  const held = new Map<string, Shared>();
  return {
    async define(views) {
      const stats: (ReadStats | undefined)[] = [];
      for (const view of views) {
        const reading = await files.hold(view.files, needOf(view));
        const name = nameOf(view);
        try {
          await c.run(`create schema if not exists ${identifier(view.schema)}`);
          await c.run(`create or replace view ${name} as ${selectOf(view, reading.paths)}`);
        } catch (error) {
          reading.release();
          throw engineFailure(error, `reading ${view.schema}.${view.name}`);
        }
        held.get(name)?.release();
        held.set(name, shared(reading));
        stats.push(reading.stats);
      }
      return stats;
    },
    async drop(views) {
      for (const view of views) {
        const name = nameOf(view);
        const { schema } = view;
        try {
          await c.run(`create schema if not exists ${identifier(schema)}; drop view if exists ${name}`);
        } catch (error) {
          throw engineFailure(error, `dropping ${schema}.${view.name}`);
        }
        held.get(name)?.release();
        held.delete(name);
      }
    },
    hold() {
      const now = [...held.values()];
      for (const files of now) files.share();
      let holding = true;
      return () => {
        if (holding) for (const files of now) files.release();
        holding = false;
      };
    },
    close() {
      for (const files of held.values()) files.release();
      held.clear();
      c.closeSync();
    },
  };
}

const nameOf = ({ schema, name }: Pick<ViewDefinition, 'schema' | 'name'>): string =>
  `${identifier(schema)}.${identifier(name)}`;

interface Shared {
  share(): void;
  release(): void;
}

function shared(files: HeldFiles): Shared {
  let readers = 1;
  return {
    share: () => void readers++,
    release() {
      if (--readers === 0) files.release();
    },
  };
}

function needOf({ columns, scans }: ViewDefinition): Need {
  if (scans === undefined) return {};
  const named = scans.every((scan) => scan.columns !== undefined)
    ? new Set(scans.flatMap((scan) => scan.columns ?? []))
    : undefined;
  const ids = new Map(columns.map(({ name, id }) => [name, id]));
  const filters = scans.map((scan: ScanFilters) =>
    scan.filters.map((filter) => ({ ...filter, ...withId(ids.get(filter.column)) })),
  );
  return {
    ...(named && { columns: columns.filter(({ name }) => named.has(name)) }),
    ...(filters.every(({ length }) => length > 0) && { anyOf: filters }),
  };
}

const withId = (id: number | undefined) => (id === undefined ? {} : { id });

export function selectOf(view: Omit<ViewDefinition, 'schema' | 'name'>, paths: readonly string[]): string {
  if (paths.length === 0) return empty(view);
  const { locationColumn: location } = view;
  if (location === undefined) return scan(view, paths);
  const places = paths.map((path, i) => `(${literal(path)}, ${literal(view.files[i]!.location)})`);
  return `select * exclude (__file, __path) from (${scan(view, paths, { filename: "'__file'" })})
    join (values ${places.join(', ')}) as places(__path, ${identifier(location)}) on __file = __path`;
}

function empty({ columns, locationColumn }: Pick<ViewDefinition, 'columns' | 'locationColumn'>): string {
  const location = locationColumn === undefined ? [] : [{ name: locationColumn, type: 'varchar' }];
  const nulls = [...columns, ...location].map(({ name, type }) => `null::${type} as ${identifier(name)}`);
  return `select ${nulls.join(', ')} where false`;
}

/**
 * Columns are found by field id where the table has ids, as Iceberg has it: a column that was renamed since is read
 * under its new name, and one that was added since is null. That also opens one file to define a view, where merging
 * columns by name opens all (15–60 against 190–280 ms for 2,000 files).
 */
function scan(
  { columns, files }: Pick<ViewDefinition, 'columns' | 'files'>,
  paths: readonly string[],
  options: Readonly<Record<string, string>> = {},
): string {
  const names = columns.map(({ name }) => identifier(name));
  if (options['filename'] !== undefined) names.push('__file');
  if (columns.some(({ id }) => id === undefined) || files.some(({ nameMapped }) => nameMapped)) {
    const typed = columns.map(({ name, type }) => `null::${type} as ${identifier(name)}`);
    return `select ${names.join(', ')} from (select ${typed.join(', ')} where false
      union all by name from ${parquet(paths, { ...options, union_by_name: 'true' })})`;
  }
  const schema = columns.map(
    ({ id, name, type }) =>
      `${id}: {name: ${literal(name)}, type: ${literal(type)}, default_value: null::varchar}`,
  );
  const byId = parquet(paths, { ...options, schema: `map {${schema.join(', ')}}` });
  return `select ${names.join(', ')} from ${byId}`;
}
