import type { DuckDBConnection } from '@duckdb/node-api';
import type { Identities, LakeFile } from '../engine.ts';
import type { LocalFiles, Need } from '../local-files.ts';
import { engineFailure } from './duckdb.ts';
import { identitySql } from './event-sql.ts';
import { eventColumns, withFiles } from './held.ts';
import { ownColumns, type Readable, required } from './own-columns.ts';
import { identityChunks } from './vectors.ts';

interface Reading {
  connect: () => Promise<DuckDBConnection>;
  files: LocalFiles;
}

const IDENTITY = eventColumns('event_uuid');
const CONTENTS = eventColumns('event_uuid', 'document');
const WINDOW = eventColumns('event_uuid', 'document', 'created_at', 'arrived_at');
const ID = identitySql(required('event_uuid'));

/**
 * Identities of event files; with `since_s` only of rows that are not older, with content hash and time, for a window
 * rebuilt from raw. Without it documents are not read: contents and times are 0.
 */
export async function* eventIdentities(
  { connect, files }: Reading,
  { events, since_s }: { events: readonly LakeFile[]; since_s: number | undefined },
): AsyncGenerator<Identities> {
  if (events.length === 0) return;
  const need = since_s === undefined ? IDENTITY : WINDOW;
  const held = await files.hold(events, need);
  const c = await connect();
  try {
    const rows = ownColumns({ files: events, paths: held.paths }, need.columns);
    const time = 'least(created_at, epoch_us(arrived_at) / 1e6)';
    yield* identityChunks(
      c,
      since_s === undefined
        ? `select 0::integer, ${ID}, 0::uinteger, 0::double from ${rows}`
        : `select 0::integer, ${ID}, (hash(document) & 4294967295)::uinteger, ${time}
           from ${rows} where ${time} >= ${since_s}`,
    );
  } finally {
    c.closeSync();
    held.release();
  }
}

const ids = (readable: Readable) =>
  readable.paths.length === 0
    ? 'select null::uuid as id where false'
    : `select ${ID} as id from ${ownColumns(readable, IDENTITY.columns)}`;

interface Compared<Files = readonly LakeFile[]> {
  source: Files;
  held: Files;
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

const contents = (readable: Readable) =>
  readable.paths.length === 0
    ? 'select null::uuid as id, null::ubigint as content where false'
    : `select ${ID} as id, hash(document) as content from ${ownColumns(readable, CONTENTS.columns)}`;

export async function compareContents(reading: Reading, compared: Compared) {
  const [altered, conflicting] = await figures(
    reading,
    { ...compared, need: CONTENTS },
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
  sql: (readable: Compared<Readable>) => string,
): Promise<number[]> {
  const c = await connect();
  try {
    const row = await withFiles(files, { files: source, need }, (ofSource) =>
      withFiles(files, { files: held, need }, async (ofHeld) => {
        const answer = await c.runAndReadAll(sql({ source: ofSource, held: ofHeld }));
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
