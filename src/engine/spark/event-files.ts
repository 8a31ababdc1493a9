/** Event files of the lake as views in Spark: by path, so that nothing depends on what Spark knows of tables. */
import { RAW } from '../../tables/tables.ts';
import type { LakeFile, RawFile } from '../engine.ts';
import { schemaWithIds } from './column-types.ts';
import type { Workspace } from './connection.ts';
import { contentSql, identitySql } from './identities.ts';

/** As wide as another program may have made a column; the table's own type is asked for where rows are written. */
const TYPES: Readonly<Record<string, string>> = { timestamptz: 'timestamp', int: 'long', float: 'double' };

/** The columns of raw and staging, in their order. */
export const COLUMNS = RAW.schema.fields.map(({ name }) => name);

/** Only files of a table with a name mapping may lack field ids; their columns are found by name. */
function schemaOf(files: readonly LakeFile[], names: readonly string[] = COLUMNS): string {
  const byName = files.some(({ nameMapped }) => nameMapped);
  const fields = RAW.schema.fields.filter(({ name }) => names.includes(name));
  return schemaWithIds(
    fields.map(({ id, name, type }) => ({ name, type: TYPES[type] ?? type, ...(byName ? {} : { id }) })),
  );
}

/** Session settings that field ids need. */
export const BY_FIELD_ID = { 'spark.sql.parquet.fieldId.read.enabled': 'true' };

/** min(created_at, arrived_at) in seconds. */
const TIME = 'least(created_at, unix_micros(arrived_at) / 1e6D)';

/** Rows of raw with `rid`, `brought` and `id`; a row's id is the place of its file's first row plus its own in it. */
export async function rawRows(workspace: Workspace, files: readonly RawFile[]): Promise<string> {
  const doing = 'reading raw';
  const scan = await workspace.filesView(doing, {
    locations: files.map(({ location }) => location),
    schema: schemaOf(files),
    columns: [...COLUMNS, '_metadata.file_path as __file', '_metadata.row_index as __row'],
  });
  let first = 0n;
  const firsts = files.map(({ rows }) => {
    const here = first;
    first += BigInt(rows);
    return here;
  });
  const places = await workspace.columnsView(doing, {
    path: files.map(({ location }) => asSparkSays(location)),
    first: BigInt64Array.from(firsts),
    brought: BigInt64Array.from(files.map(({ sequenceNumber }) => BigInt(sequenceNumber))),
  });
  return workspace.sqlView(
    doing,
    `select /*+ broadcast(p) */ cast(p.first + r.__row as int) as rid, p.brought,
      ${identitySql('r.event_uuid')} as id, ${COLUMNS.map((name) => `r.${name}`).join(', ')}
     from ${scan} r join ${places} p on regexp_replace(r.__file, '^file:/+', 'file:///') = p.path`,
  );
}

/** A query of the identities that stand in these files, as column `id`; undefined for no files. */
export async function heldIds(workspace: Workspace, files: readonly LakeFile[]): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  const scan = await workspace.filesView('reading identities', {
    locations: files.map(({ location }) => location),
    schema: schemaOf(files, ['event_uuid']),
    columns: ['event_uuid'],
  });
  return `select ${identitySql('event_uuid')} as id from ${scan}`;
}

/** A query of row id (0), identity, content and time; of rows that are not older than `since_s`, where it is given. */
export async function windowRows(
  workspace: Workspace,
  { files, since_s }: { files: readonly LakeFile[]; since_s: number | undefined },
): Promise<string> {
  const scan = await workspace.filesView('reading identities', {
    locations: files.map(({ location }) => location),
    schema: schemaOf(files),
    columns: COLUMNS,
  });
  const id = identitySql('event_uuid');
  return since_s === undefined
    ? `select 0, ${id}, 0L, 0D from ${scan}`
    : `select 0, ${id}, ${contentSql('document')}, ${TIME} from ${scan} where ${TIME} >= ${since_s}D`;
}

/** `_metadata.file_path` is the location with what java.net.URI takes for illegal percent-encoded. */
function asSparkSays(location: string): string {
  const plain = location.replace(/^file:\/+/, 'file:///');
  return plain.replace(/[\p{Cc} "%<>[\\\]^`{|}]/gu, (c) => encodeURIComponent(c));
}
