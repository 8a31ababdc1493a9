/** What became of one event: every copy in raw, its row in staging, and records in quarantine that name it. */
import { type Cell, type Engine, localPaths, parquet } from '../engine/engine.ts';
import type { DataFile, Lake } from '../lake/lake.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME } from '../tables/tables.ts';

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
    await rows({ lake, engine }, { table: RAW_NAME, columns: EVENT, where: same }),
    await rows({ lake, engine }, { table: STAGING_NAME, columns: EVENT, where: same }),
    await rows(
      { lake, engine },
      {
        table: QUARANTINE_NAME,
        columns: `reason, detail, ${POSITION}, octet_length(bytes) as bytes`,
        where: `contains(try(decode(bytes)), ${quoted})`,
      },
    ),
  ];
  return { raw, staging, quarantine };
}

/** Rows with the file and the snapshot that brought them. */
async function rows(
  { lake, engine }: { lake: Lake; engine: Engine },
  { table: name, columns, where }: { table: string; columns: string; where: string },
): Promise<Row[]> {
  const table = await lake.load(name);
  const files = table === undefined ? [] : (await lake.files(table)).files;
  if (files.length === 0) return [];
  const paths = localPaths(lake, files);
  const byPath = new Map<string, DataFile>(files.map((file, i) => [paths[i]!, file]));
  const result = await engine.query(
    `select ${columns}, filename from ${parquet(paths, { filename: 'true' })} where ${where}`,
  );
  const found: Row[] = [];
  for await (const chunk of result.chunks()) {
    for (const cells of chunk) {
      const { filename, ...row } = Object.fromEntries(result.columns.map((c, i) => [c.name, cells[i]!]));
      const file = byPath.get(String(filename))!;
      found.push({ ...row, file: file.location, snapshot: String(file.snapshotId) });
    }
  }
  return found;
}
