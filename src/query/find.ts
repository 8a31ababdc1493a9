/** What became of one event: every copy in raw, its row in staging, and records in quarantine that name it. */
import type { Cell, Engine } from '../engine/engine.ts';
import type { DataFile, Lake } from '../lake/lake.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, TABLES } from '../tables/tables.ts';
import { definition } from './definition.ts';

type Row = Record<string, Cell>;

export interface Whereabouts {
  raw: Row[];
  staging: Row[];
  quarantine: Row[];
}

const POSITION = 'stream, shard_id, sequence_number, subsequence_number, arrived_at::varchar as arrived_at';
const EVENT = `event_uuid, event_name, created_datetime::varchar as created_datetime, document, ${POSITION}`;

export async function findEvent(
  { lake, engine }: { lake: Lake; engine: Engine },
  { uuid, identity }: { uuid: string; identity: string },
): Promise<Whereabouts> {
  const quoted = `'${uuid.replaceAll("'", "''")}'`;
  // Upper and lower case of a UUID are one identity; any other text is itself only.
  const isUuid = identity === uuid.replaceAll('-', '').toLowerCase();
  const same = isUuid ? `lower(event_uuid) = lower(${quoted})` : `event_uuid = ${quoted}`;
  const [raw, staging, quarantine] = [
    await rows({ lake, engine }, { table: RAW_NAME, key: 'event_uuid', columns: EVENT, where: same }),
    await rows({ lake, engine }, { table: STAGING_NAME, key: 'event_uuid', columns: EVENT, where: same }),
    await rows(
      { lake, engine },
      {
        table: QUARANTINE_NAME,
        key: 'bytes',
        columns: `reason, detail, ${POSITION}, octet_length(bytes) as bytes`,
        where: `contains(try(decode(bytes)), ${quoted})`,
      },
    ),
  ];
  return { raw, staging, quarantine };
}

/** A schema of views that no question names. */
const CANDIDATES = '__find.candidates';

/** Rows with the file and the snapshot that brought them: first the files that have any, by the one column alone. */
async function rows(
  { lake, engine }: { lake: Lake; engine: Engine },
  { table: name, key, columns, where }: { table: string; key: string; columns: string; where: string },
): Promise<Row[]> {
  const table = await lake.load(name);
  const files = table === undefined ? [] : (await lake.files(table)).files;
  if (files.length === 0) return [];
  const all = definition(CANDIDATES, { schema: TABLES[name]!.schema, table }, files);
  const view = { ...all, locationColumn: 'file' };
  const only = [{ view: CANDIDATES, filters: [], columns: [key] }];
  const byLocation = new Map<string, DataFile>(files.map((file) => [file.location, file]));
  try {
    await engine.defineViews([{ ...view, scans: only }]);
    const some = await answer(engine, `select distinct file from ${CANDIDATES} where ${where}`);
    if (some.length === 0) return [];
    await engine.defineViews([{ ...view, files: some.map(({ file }) => byLocation.get(String(file))!) }]);
    const found = await answer(engine, `select ${columns}, file from ${CANDIDATES} where ${where}`);
    return found.map((row) => ({
      ...row,
      snapshot: String(byLocation.get(String(row['file']))!.snapshotId),
    }));
  } finally {
    await engine.dropViews([view]);
  }
}

async function answer(engine: Engine, sql: string): Promise<Row[]> {
  const { columns, chunks } = await engine.query(sql);
  const found: Row[] = [];
  for await (const chunk of chunks()) {
    for (const cells of chunk) found.push(Object.fromEntries(columns.map((c, i) => [c.name, cells[i]!])));
  }
  return found;
}
