/** The ways by which other programs reach the catalog of a lake of ours: its SQLite file, or our REST server before it. */
import { silentLog, systemClock } from '../../src/base/base.ts';
import { openSqliteCatalog, serveCatalog } from '../../src/lake/lake.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';

export interface Reached {
  /** What pyiceberg's `load_catalog` takes. */
  pyiceberg: Readonly<Record<string, string>>;
  /** What stands below `spark.sql.catalog.NAME`. */
  spark: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface Reachable {
  catalogPath: string;
  lake: { store: ObjectStore };
}

export async function byFile({ catalogPath }: Reachable): Promise<Reached> {
  return {
    pyiceberg: { type: 'sql', uri: `sqlite:///${catalogPath}` },
    spark: {
      type: 'jdbc',
      uri: `jdbc:sqlite:${catalogPath}?busy_timeout=10000&journal_mode=WAL`,
      'jdbc.schema-version': 'V1',
      warehouse: 'file:///nowhere',
    },
    async close() {},
  };
}

const TOKEN = 'token-of-the-interop-tests';

/** With its own connection to the catalog, as a server in another process has, and a token. */
export async function byRestServer({ catalogPath, lake }: Reachable): Promise<Reached> {
  const catalog = openSqliteCatalog({ path: catalogPath });
  const server = await serveCatalog({
    ...{ catalog, store: lake.store, clock: systemClock, log: silentLog, random: Math.random },
    ...{ port: 0, token: TOKEN },
  });
  const reach = { type: 'rest', uri: server.uri, token: TOKEN };
  return {
    pyiceberg: reach,
    spark: reach,
    async close() {
      await server.close();
      await catalog.close();
    },
  };
}

export const OUR_REST_SERVER = 'our REST server';

/** What pyiceberg calls each. */
export const PYICEBERG_WAYS = [
  ['SqlCatalog', byFile],
  [OUR_REST_SERVER, byRestServer],
] as const;

/** What Spark calls each, with the catalog's name there. */
export const SPARK_WAYS = [
  ['JDBC', 'lakeward', byFile],
  [OUR_REST_SERVER, 'served', byRestServer],
] as const;
