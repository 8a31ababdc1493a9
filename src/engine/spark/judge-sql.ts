/**
 * The judgement of a record in Spark's SQL; the verdicts are those of the one table of reasons.
 *
 * No function of Spark says whether a text is JSON. `try_parse_json` parses strictly but stops after the first value, so
 * the text is made the first element of a list whose second is its own hash: a value, the end of the text, and nothing
 * that the text itself could have closed the list with. The fields are read by `from_json` as a map, which keeps every
 * repeat of a key in its order, where structs and variants keep the last; the first is our rule. A second map, of
 * variants, says what a value was written as.
 *
 * What Jackson, its parser, will not read is no JSON here, although other parsers would take it: values nested deeper
 * than 997, a number of more than 1,000 digits, a key of more than 50,000 characters.
 */
import { CRASHED_ENGINE, REASONS } from '../../event/event.ts';
import { crashedBranch } from '../crashed-rows.ts';
import type { EventLimits, SpoolInput } from '../engine.ts';
import { literal } from './connect/statements.ts';
import { contentSql, identitySql } from './identities.ts';

/** Session settings that the judgement needs. */
export const JUDGING = { 'spark.sql.variant.allowDuplicateKeys': 'true' };

export const SPOOL_SCHEMA = 'body binary, seq string, arrived_ms bigint, shard int, sub int';
export const SPOOL_COLUMNS = [
  'cast(_metadata.row_index as int) as rid',
  'seq',
  'arrived_ms',
  'shard',
  'sub',
  'body',
];

const isJson = `case when text is null then false
  else coalesce(size(elements) = 2 and cast(get(elements, 1) as string) = md5(text), false) end`;

/** `\ud800` without its other half, which no UTF-8 text can hold; escaped backslashes are taken out first. */
const hasLoneSurrogate = String.raw`case when not contains(text, r'\u') then false
  else regexp_replace(regexp_replace(text, r'\\[^u]', ''),
    r'\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}', '') rlike r'\\u[dD][89a-fA-F]' end`;

/** What JSON may begin with, in the literal's own escapes. */
const WHITESPACE = String.raw`' \t\r\n'`;

const first = (map: string, key: string) =>
  `get(filter(map_entries(${map}), e -> e.key = '${key}'), 0).value`;
const kind = (key: string) => `schema_of_variant(${first('kinds', key)})`;

/** One moment as Unix seconds: seconds, milliseconds and microseconds are told apart by size. */
const scaled = (number: string) =>
  `case when abs(${number}) < 1e11D then ${number} when abs(${number}) < 1e14D then ${number} / 1e3D
    when abs(${number}) < 1e17D then ${number} / 1e6D else ${number} end`;

const NUMBER = String.raw`r'^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?\z'`;
const ISO = String.raw`r'^[+]?[0-9]{4,6}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?\z'`;
const ZONE = String.raw`([Zz]|([+-])([0-9]{2}):?([0-9]{2})?)\z`;

/**
 * ISO 8601 text as seconds, taken apart where Spark's own cast is of another mind than DuckDB's: 24:00 is the next
 * midnight, and an offset may be of any size. A year that DuckDB cannot hold is absurd, not unreadable: a figure far out
 * of range. No `upper`: it has ICU look at every character there is when it is first used, for 10 s.
 */
const isoSeconds = (() => {
  const day = 'left(c, 10)';
  const time = `regexp_replace(substr(c, 11), r'${ZONE}', '')`;
  const micros = (text: string) => `unix_micros(try_cast(${text} as timestamp))`;
  const part = (group: number) =>
    `coalesce(try_cast(regexp_extract(substr(c, 11), r'${ZONE}', ${group}) as int), 0)`;
  const sign = `case when regexp_extract(substr(c, 11), r'${ZONE}', 2) = '-' then -1 else 1 end`;
  return `case when c rlike r'^[+]?[0-9]{5,6}-' then 1e300D when startswith(c, '+') then null
    else (case when ${time} rlike r'^.24:00(:00([.,]0+)?)?\\z' then ${micros(day)} + 86400000000L
        else ${micros(`${day} || translate(${time}, 't,', 'T.')`)} end
      - ${sign} * (${part(3)} * 3600L + ${part(4)} * 60L) * 1000000L) / 1e6D end`;
})();

const seconds = `case
    when c is null or c_kind like 'OBJECT%' or c_kind like 'ARRAY%' then null
    when c_kind <> 'STRING' or c rlike ${NUMBER} then ${scaled('try_cast(c as double)')}
    when c rlike ${ISO} then ${isoSeconds}
    else null end`;

const verdict = REASONS.map(({ code, condition }) => `when ${condition} then ${literal(code)}`).join(
  '\n    ',
);

/**
 * One row per record of the spool's view: rid, seq, arrived_ms, shard_id, sub, text, reason, and for events uuid, name,
 * type, subtype, seconds, us (created_datetime in microseconds), id, content; for the others their bytes.
 */
export const judgeSql = (view: string, spool: SpoolInput, limits: EventLimits): string => `
select rid, seq, arrived_ms, shard_id, sub, case when reason is null then text end as text, reason,
  uuid, name, split_part(name, ':', 1) as type, nullif(split_part(name, ':', 2), '') as subtype, seconds,
  case when reason is null then cast(round(seconds * 1e6D) as bigint) end as us,
  case when reason is null then ${identitySql('uuid')} end as id,
  case when reason is null then ${contentSql('text')} end as content,
  case when reason is not null then body end as bytes
from (select *, case ${crashedBranch(spool, literal(CRASHED_ENGINE.code), { literal, rid: 'rid', shard: 'id' })} ${verdict} end as reason
  from (select *, coalesce(uuid_kind = 'STRING', false) or coalesce(uuid rlike r'^-?[0-9]+\\z', false) as uuid_is_id,
      coalesce(name_kind = 'STRING', false) as name_is_text, ${seconds} as seconds,
      cast(${limits.minTime_s} as double) as min_seconds, arrived_ms / 1000D + ${limits.maxAhead_s} as max_seconds
    from (select *, ${first('texts', 'event_uuid')} as uuid, ${kind('event_uuid')} as uuid_kind,
        ${first('texts', 'event_name')} as name, ${kind('event_name')} as name_kind,
        ${first('texts', 'created_at')} as c, ${kind('created_at')} as c_kind
      from (select *, case when is_object then from_json(text, 'map<string,string>') end as texts,
          case when is_object then from_json(text, 'map<string,variant>') end as kinds
        from (select *, is_json and startswith(trim(leading ${WHITESPACE} from text), '{') as is_object
          from (select *, ${isJson} and not (${hasLoneSurrogate}) as is_json
            from (select *, cast(try_parse_json('[' || text || ',"' || md5(text) || '"]') as array<variant>) as elements
              from (select rid, seq, arrived_ms, element_at(array(${spool.shards.map(literal).join(', ')}), shard + 1)
                  as shard_id, nullif(sub, -1) as sub, body, ${textOf(spool)} as text
                from ${view}${leftIn(spool)}))))))))`;

function textOf(spool: SpoolInput): string {
  const text = 'try_validate_utf8(cast(body as string))';
  const branch = crashedBranch(spool, 'null', { literal, rid: 'rid', shard: 'place' });
  return branch === '' ? text : `case ${branch} else ${text} end`;
}

function leftIn(spool: SpoolInput): string {
  const { rows } = spool;
  const conditions =
    rows === undefined ? upTo(spool) : [...upTo(spool), `rid >= ${rows.from} and rid < ${rows.to}`];
  return conditions.length === 0
    ? ''
    : ` where ${conditions.map((condition) => `(${condition})`).join(' and ')}`;
}

/** Numbers of different length are compared by length first: decimal text without leading zeros. */
function upTo({ shards, upTo: positions }: SpoolInput): string[] {
  if (positions === undefined) return [];
  const within = shards.map((shard, index) => {
    const position = positions[shard];
    if (position === undefined) return 'false';
    if (position === 'end') return `shard = ${index}`;
    const shorter = `length(seq) < ${position.length}`;
    return `shard = ${index} and (${shorter} or (length(seq) = ${position.length} and seq <= ${literal(position)}))`;
  });
  return [within.map((condition) => `(${condition})`).join(' or ')];
}
