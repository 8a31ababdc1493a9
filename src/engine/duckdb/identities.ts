import type { DuckDBConnection } from '@duckdb/node-api';
import type { Identities, LakeFile } from '../engine.ts';
import type { LocalFiles, Need } from '../local-files.ts';
import { engineFailure } from './duckdb.ts';
import { identitySql } from './event-sql.ts';
import { eventColumns, withPaths } from './held.ts';
import { parquet } from './sql.ts';
import { identityChunks } from './vectors.ts';

interface Reading {
  connect: () => Promise<DuckDBConnection>;
  files: LocalFiles;
}

const IDENTITY = eventColumns('event_uuid');

/**
 * Identities of event files; with `since_s` only of rows that are not older, with content hash and time, for a window
 * rebuilt from raw. Without it documents are not read: contents and times are 0.
 */
export async function* eventIdentities(
  { connect, files }: Reading,
  { events, since_s }: { events: readonly LakeFile[]; since_s: number | undefined },
): AsyncGenerator<Identities> {
  if (events.length === 0) return;
  const held = await files.hold(
    events,
    since_s === undefined ? IDENTITY : eventColumns('event_uuid', 'document', 'created_at', 'arrived_at'),
  );
  const c = await connect();
  try {
    const { paths } = held;
    const id = identitySql('event_uuid');
    const time = 'least(created_at, epoch_us(arrived_at) / 1e6)';
    yield* identityChunks(
      c,
      since_s === undefined
        ? `select 0::integer, ${id}, 0::uinteger, 0::double from ${parquet(paths)}`
        : `select 0::integer, ${id}, (hash(document) & 4294967295)::uinteger, ${time}
           from ${parquet(paths)} where ${time} >= ${since_s}`,
    );
  } finally {
    c.closeSync();
    held.release();
  }
}

const ids = (paths: readonly string[]) =>
  paths.length === 0
    ? 'select null::uuid as id where false'
    : `select ${identitySql('event_uuid')} as id from ${parquet(paths)}`;

interface Compared<File = LakeFile> {
  source: readonly File[];
  held: readonly File[];
}

/** Sets of identities against each other; DuckDB spills to disk what does not fit its memory. */
export async function compareIdentities(reading: Reading, compared: Compared) {
  const [repeated, missing, extra] = await figures(
    reading,
    { ...compared, need: IDENTITY },
    ({ source, held }) => `with s as (select distinct id from (${ids(source)})),
        h as (select id, count(*) as copies from (${ids(held)}) group by id)
      select (select count(*) from h where copies > 1),
        (select count(*) from s anti join h using (id)),
        (select count(*) from h anti join s using (id))`,
  );
  return { repeated: repeated!, missing: missing!, extra: extra! };
}

const contents = (paths: readonly string[]) =>
  paths.length === 0
    ? 'select null::uuid as id, null::ubigint as content where false'
    : `select ${identitySql('event_uuid')} as id, hash(document) as content from ${parquet(paths)}`;

export async function compareContents(reading: Reading, compared: Compared) {
  const [altered, conflicting] = await figures(
    reading,
    { ...compared, need: eventColumns('event_uuid', 'document') },
    ({
      source,
      held,
    }) => `with s as (select distinct id, content from (${contents(source)})), h as (${contents(held)})
      select (select count(*) from h anti join s using (id, content)),
        (select count(*) from (select id from s group by id having count(*) > 1))`,
  );
  return { altered: altered!, conflicting: conflicting! };
}

async function figures(
  { connect, files }: Reading,
  { source, held, need }: Compared & { need: Need },
  sql: (paths: Compared<string>) => string,
): Promise<number[]> {
  const c = await connect();
  try {
    const row = await withPaths(files, { files: source, need }, (sourcePaths) =>
      withPaths(files, { files: held, need }, async (heldPaths) => {
        const answer = await c.runAndReadAll(sql({ source: sourcePaths, held: heldPaths }));
        return answer.getRowsJson()[0]!;
      }),
    );
    return row.map(Number);
  } catch (error) {
    throw engineFailure(error, 'comparing raw with staging');
  } finally {
    c.closeSync();
  }
}
