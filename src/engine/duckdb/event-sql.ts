/**
 * The judgement of a record as SQL that cannot throw. The nesting order is load-bearing: `from_json` must be evaluated
 * once per row. DuckDB pushes filters (and merges projections) through subqueries and then repeats it for every field
 * reference (measured 10.4 against 1.7 CPU s per million events), so nothing here filters: every record is staged and
 * the verdict is a column.
 *
 * Other traps this walks around: `blob::varchar` never fails but escapes (hence `try(decode())`); `try(from_json())`
 * doubles its cost (hence the guard by json_valid); json_valid accepts NaN, Infinity and trailing commas, which no
 * other JSON reader does (hence `lenient`); a cast to int before the range check would throw on 1e300.
 */
import { CRASHED_ENGINE, REASONS } from '../../event/event.ts';
import { crashedBranch } from '../crashed-rows.ts';
import type { EventLimits, SpoolInput } from '../engine.ts';
import { eventColumns } from './held.ts';
import { ownColumns, type Readable, required } from './own-columns.ts';
import { list, literal, parquet } from './sql.ts';

const FIELDS = '{"event_uuid":"JSON","event_name":"JSON","created_at":"JSON"}';

/** A JSON value's text: strings without quotes and escapes, everything else as it is written. */
const unquoted = (json: string) =>
  `case when not starts_with(${json}, '"') then ${json}
    when contains(${json}, '\\') then json_extract_string(${json}, '$')
    else substring(${json}, 2, length(${json}) - 2) end`;

/**
 * What json_valid lets through although it is no JSON; strings are cut out before the second look. One regular
 * expression for both first looks costs 0.60 CPU s per million records, these three 0.45.
 */
const lenient = `case when regexp_matches(text, ',[ \\t\\r\\n]*[}\\]]')
      or contains(lower(text), 'nan') or contains(lower(text), 'inf')
    then regexp_matches(regexp_replace(text, '"(\\\\.|[^"\\\\])*"', '""', 'g'), ',[ \\t\\r\\n]*[}\\]]|(?i:nan|inf)')
    else false end`;

/** One moment as Unix seconds: seconds, milliseconds and microseconds are told apart by size. */
const scaled = (number: string) =>
  `case when abs(${number}) < 1e11 then ${number} when abs(${number}) < 1e14 then ${number} / 1e3
    when abs(${number}) < 1e17 then ${number} / 1e6 else ${number} end`;

const NUMBER = '[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?';
const ISO =
  '[+]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?)?';

/** ISO 8601 text as seconds. A year that DuckDB cannot hold is absurd, not unreadable: a figure far out of range. */
const isoSeconds = (text: string) =>
  `case when regexp_full_match(${text}, '[+]?[0-9]{5,6}-.*') then 1e300
    else epoch_us(try_cast(replace(upper(${text}), ',', '.') as timestamptz)) / 1e6 end`;

const seconds = `case
    when c is null or starts_with(c, '{') or starts_with(c, '[') then null
    when not starts_with(c, '"') then ${scaled('try_cast(c as double)')}
    when regexp_full_match(c, '"${NUMBER}"') then ${scaled('try_cast(substring(c, 2, length(c) - 2) as double)')}
    when regexp_full_match(c, '"${ISO}"') then ${isoSeconds('substring(c, 2, length(c) - 2)')}
    else null end`;

/**
 * The identity as DuckDB's UUID type: 16 bytes a value on the way out. Where the dashes stand is asked by LIKE, the
 * digits by the cast, which by itself takes dashes in other places and braces too; together they are IDENTITY_PATTERN
 * (a test holds that) at 0.18 CPU s per million values, where the regular expression takes 0.30.
 */
export const identitySql = (uuid: string) =>
  `case when ${uuid} like '________-____-____-____-____________'
    then coalesce(try_cast(${uuid} as uuid), try_cast(left(sha256(${uuid}), 32) as uuid))
    else try_cast(left(sha256(${uuid}), 32) as uuid) end`;

/**
 * Identities of event files that also stand in `table`. The hash table is built on the batch's side and history
 * streams past it, so that memory is bounded by the batch.
 */
export const heldIdentities = (readable: Readable, table: string) =>
  `select h.id from (select ${identitySql(required('event_uuid'))} as id
     from ${ownColumns(readable, eventColumns('event_uuid').columns)}) h
   semi join ${table} b on h.id = b.id`;

/** The first reason whose condition holds; none for an event. */
const verdict = REASONS.map(({ code, condition }) => `when ${condition} then ${literal(code)}`).join(
  '\n    ',
);

/**
 * One row per record of the spool: rid, seq, arrived_ms, shard_id, sub, text, reason, and for events uuid, name, type,
 * subtype, seconds, us (created_datetime in microseconds), day, id, content; for the others their bytes.
 */
export const judgeSql = (spool: SpoolInput, limits: EventLimits): string => `
select rid, seq, arrived_ms, shard_id, sub, text, reason,
  uuid, name, split_part(name, ':', 1) as type, nullif(split_part(name, ':', 2), '') as subtype,
  seconds, case when reason is null then round(seconds * 1e6)::bigint end as us,
  case when reason is null then floor(round(seconds * 1e6) / 86400e6)::integer end as day,
  case when reason is null then ${identitySql('uuid')} end as id,
  case when reason is null then (hash(text) & 4294967295)::uinteger end as content,
  case when reason is not null then body end as bytes
from (select *, case ${crashedBranch(spool, literal(CRASHED_ENGINE.code), { literal, rid: 'rid', shard: 'id' })} ${verdict} end as reason
  from (select rid, seq, arrived_ms, shard_id, sub, body, text, is_json,
      is_json and starts_with(ltrim(text, ' ' || chr(9) || chr(10) || chr(13)), '{') as is_object,
      ${unquoted('u')} as uuid,
      case when starts_with(u, '"') then true else regexp_full_match(u, '-?[0-9]+') end as uuid_is_id,
      ${unquoted('n')} as name, starts_with(n, '"') as name_is_text,
      ${seconds} as seconds,
      ${limits.minTime_s}::double as min_seconds,
      arrived_ms / 1000.0 + ${limits.maxAhead_s} as max_seconds
    from (select *, e.event_uuid::varchar as u, e.event_name::varchar as n, e.created_at::varchar as c
      from (select *, case when is_json then from_json(text, '${FIELDS}') end as e
        from (select *, case when json_valid(text) then not (${lenient}) else false end as is_json
          from (select file_row_number::integer as rid, seq, arrived_ms, ${list(spool.shards)}[shard + 1] as shard_id,
              nullif(sub, -1) as sub, body,
              ${textOf(spool)} as text
            from ${parquet([spool.path], { file_row_number: 'true' })}${leftIn(spool)}))))))`;

function textOf(spool: SpoolInput): string {
  const text = 'try(decode(body))';
  const branch = crashedBranch(spool, 'null', { literal, rid: 'file_row_number', shard: 'place' });
  return branch === '' ? text : `case ${branch} else ${text} end`;
}

function leftIn(spool: SpoolInput): string {
  const conditions = [...upTo(spool), ...rowsOf(spool)];
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}

const rowsOf = ({ rows }: SpoolInput): string[] =>
  rows === undefined ? [] : [`file_row_number >= ${rows.from} and file_row_number < ${rows.to}`];

/** Numbers of different length are compared by length first: decimal text without leading zeros. */
function upTo({ shards, upTo: positions }: SpoolInput): string[] {
  if (positions === undefined) return [];
  const within = shards.map((shard, index) => {
    const position = positions[shard];
    if (position === undefined) return 'false';
    if (position === 'end') return `shard = ${index}`;
    return `shard = ${index} and (length(seq) < ${position.length} or (length(seq) = ${position.length}
      and seq <= ${literal(position)}))`;
  });
  return [`(${within.map((condition) => `(${condition})`).join(' or ')})`];
}
