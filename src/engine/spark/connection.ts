/**
 * The engine's way to Spark: one session at a time, made anew when the server has lost it. A batch keeps the session
 * that it began with, because its views live there; when that is gone the batch fails, and is begun again by its owner.
 */
import { Failure, type Log } from '../../base/base.ts';
import { isSessionLost } from './connect/failures.ts';
import { openSession, type Session, type SessionOptions } from './connect/session.ts';
import {
  batches,
  type ColumnsView,
  type FilesView,
  identifier,
  rows,
  run,
  viewOfColumns,
  viewOfFiles,
} from './connect/statements.ts';
import { withoutSecrets } from './connect/url.ts';
import { BY_FIELD_ID } from './event-files.ts';
import { JUDGING } from './judge-sql.ts';

export interface CatalogAccess {
  /** Its name in Spark. */
  name: string;
  /** `jdbc:…` or `http…` of a REST catalog; undefined: the server is set up with a catalog of that name. */
  uri: string | undefined;
  warehouse: string;
}

export interface ConnectionOptions extends SessionOptions {
  catalog: CatalogAccess;
  log: Log;
}

export interface Connection {
  /** A workspace of a batch: its views have names of their own and go with it. The signal interrupts what runs in it. */
  workspace(signal?: AbortSignal): Promise<Workspace>;
  close(): Promise<void>;
}

/** What is in it goes with it, at the end of its scope; that never fails. */
export interface Workspace extends AsyncDisposable {
  run(doing: string, sql: string): Promise<void>;
  rows(doing: string, sql: string): Promise<unknown[][]>;
  batches(doing: string, sql: string): ReturnType<typeof batches>;
  /** Answer the view's name in SQL. */
  filesView(doing: string, view: Omit<FilesView, 'name'>): Promise<string>;
  columnsView(doing: string, columns: ColumnsView['columns']): Promise<string>;
  sqlView(doing: string, select: string): Promise<string>;
  /** The rows themselves, made once, on the disks of Spark: what is read several times and costs more than that. */
  kept(doing: string, select: string): Promise<string>;
}

export function openConnection(options: ConnectionOptions): Connection {
  let current: Promise<Session> | undefined;
  const lost = (session: Promise<Session>) => {
    if (current !== session) return;
    current = undefined;
    options.log.warn('spark.session_lost', 'Spark lost the session; the next batch begins another');
    void session.then((it) => it.close()).catch(() => {});
  };
  return {
    async workspace(signal) {
      current ??= begin(options);
      const session = current;
      try {
        return workspaceIn(await session, { lost: () => lost(session), newId: options.newId, signal });
      } catch (error) {
        if (current === session) current = undefined;
        throw error;
      }
    },
    async close() {
      const session = current;
      current = undefined;
      await session?.then((it) => it.close()).catch(() => {});
    },
  };
}

/** Distribution by partition: one file a partition; Iceberg would sample the input first, which reads it twice. */
const SETTINGS = {
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.iceberg.distribution-mode': 'hash',
  ...JUDGING,
  ...BY_FIELD_ID,
};

async function begin(options: ConnectionOptions): Promise<Session> {
  const session = openSession(options);
  try {
    const version = await session.version();
    await session.configure({ ...SETTINGS, ...catalogSettings(options.catalog) });
    await ensureCatalog(session, options);
    options.log.info('spark.connected', 'connected to Spark', {
      url: withoutSecrets(options.url),
      version,
      session: session.id,
    });
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

function catalogSettings({ name, uri, warehouse }: CatalogAccess): Record<string, string> {
  if (uri === undefined) return {};
  const prefix = `spark.sql.catalog.${name}`;
  const settings = {
    [prefix]: 'org.apache.iceberg.spark.SparkCatalog',
    [`${prefix}.uri`]: uri,
    [`${prefix}.warehouse`]: warehouse,
    // It would go on writing to a version of the table that we have moved on from.
    [`${prefix}.cache-enabled`]: 'false',
  };
  return uri.startsWith('jdbc:')
    ? { ...settings, [`${prefix}.type`]: 'jdbc', [`${prefix}.jdbc.schema-version`]: 'V1' }
    : { ...settings, [`${prefix}.type`]: 'rest' };
}

async function ensureCatalog(session: Session, { catalog, url }: ConnectionOptions): Promise<void> {
  if ((await session.configured(`spark.sql.catalog.${catalog.name}`)) !== undefined) return;
  throw new Failure(`Spark at ${withoutSecrets(url)} knows no catalog ${catalog.name}`, {
    code: 'spark.no_catalog',
    fault: 'user',
    why: `its setting spark.sql.catalog.${catalog.name} is not set`,
    hint: 'set spark.catalogUri here, or set the catalog up on the server',
    docs: 'docs/how-to/spark.md',
  });
}

interface Around {
  lost: () => void;
  newId: () => string;
  signal: AbortSignal | undefined;
}

function workspaceIn(session: Session, { lost, newId, signal }: Around): Workspace {
  const suffix = newId().replaceAll('-', '');
  const views: string[] = [];
  const keeping = new Set<string>();
  const next = () => {
    const name = `lw_${suffix}_${views.length}`;
    views.push(name);
    return name;
  };
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (isSessionLost(error)) lost();
      throw error;
    }
  };
  const view = async (make: (name: string) => Promise<void>) => {
    const name = next();
    await watched(make(name));
    return name;
  };
  return {
    run: (doing, sql) => watched(run(session, sql, { doing, signal })),
    rows: (doing, sql) => watched(rows(session, sql, { doing, signal })),
    async *batches(doing, sql) {
      try {
        yield* batches(session, sql, { doing, signal });
      } catch (error) {
        if (isSessionLost(error)) lost();
        throw error;
      }
    },
    filesView: (doing, it) => view((name) => viewOfFiles(session, { ...it, name }, { doing, signal })),
    columnsView: (doing, columns) =>
      view((name) => viewOfColumns(session, { name, columns }, { doing, signal })),
    sqlView: (doing, select) =>
      view((name) =>
        run(session, `create temporary view ${identifier(name)} as ${select}`, { doing, signal }),
      ),
    kept: (doing, select) =>
      view((name) => {
        keeping.add(name);
        const storage = "options ('storageLevel' 'DISK_ONLY')";
        return run(session, `cache table ${identifier(name)} ${storage} as ${select}`, { doing, signal });
      }),
    async [Symbol.asyncDispose]() {
      // A session that is gone has no views.
      const tidy = (sql: string) => run(session, sql, { doing: 'tidying up' }).catch(() => {});
      for (const name of views.splice(0).reverse()) {
        if (keeping.delete(name)) await tidy(`uncache table if exists ${identifier(name)}`);
        await tidy(`drop view if exists ${identifier(name)}`);
      }
    },
  };
}
