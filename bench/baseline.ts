/**
 * Bare DuckDB doing the same work over the same bytes as a file: the same judgement, exact dedupe, and both layers
 * written as partitioned Parquet. No stream, no commits, no fsync, one statement each over everything at once.
 * Prints one line of JSON.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const [lines, folder] = process.argv.slice(2) as [string, string];
const output = join(folder, 'baseline');
await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
const instance = await DuckDBInstance.create(join(folder, 'baseline.duckdb'), {
  threads: '2',
  memory_limit: '8GB',
});
const c = await instance.connect();
await c.run("set timezone = 'UTC'");
await c.run('set preserve_insertion_order = false');
await c.run('set partitioned_write_max_open_files = 2000');

const begun = performance.now();
// Lines as bytes: a delimiter and quotes that do not occur, in an encoding that takes any byte.
await c.run(`create view lines as select row_number() over () as file_row_number, encode(line) as body,
    lpad(file_row_number::varchar, 20, '0') as seq, 1000000000000 as arrived_ms
  from read_csv('${lines}', columns = {line: 'VARCHAR'}, delim = chr(1), quote = '', escape = '', header = false,
    ignore_errors = true, max_line_size = 4000000)`);
const uuid = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
await c.run(`create table judged as
  select seq, arrived_ms, text, uuid, name, split_part(name, ':', 1) as type, split_part(name, ':', 2) as subtype, seconds,
    round(seconds * 1e6)::bigint as us, floor(seconds / 86400)::integer as day,
    case when regexp_full_match(uuid, '${uuid}') then try_cast(uuid as uuid)
      else try_cast(left(sha256(uuid), 32) as uuid) end as id,
    valid and uuid <> '' and uuid[1] not in ('{', '[') and name <> '' and name[1] not in ('{', '[', ':')
      and seconds >= 946684800 and seconds <= 1e11 as ok
  from (select *, e.event_uuid as uuid, e.event_name as name, try_cast(e.created_at as double) as seconds
    from (select *, case when valid then from_json(text,
        '{"event_uuid":"VARCHAR","event_name":"VARCHAR","created_at":"VARCHAR"}') end as e
      from (select *, coalesce(json_valid(text), false) and starts_with(ltrim(text), '{') as valid
        from (select *, try(decode(body)) as text from lines))))`);
const FORMAT = 'format parquet, compression zstd, compression_level 1, partition_by (d, t)';
const columns = 'uuid, name, type, subtype, seconds, us, text, arrived_ms, seq, day as d, type as t';
await c.run(`copy (select ${columns} from judged where ok) to '${output}/raw' (${FORMAT})`);
await c.run(`copy (select ${columns} from (select *, row_number() over (partition by id order by seq) as copy
    from judged where ok) where copy = 1 order by day, type, name, us) to '${output}/staging' (${FORMAT})`);
const elapsed_s = (performance.now() - begun) / 1000;
const counted = await c.runAndReadAll(`select count(*) from read_parquet('${output}/staging/**/*.parquet')`);
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({ elapsed_s, cpu_s: (user + system) / 1e6, events: Number(counted.getRowsJson()[0]![0]) }),
);
c.closeSync();
instance.closeSync();
await rm(output, { recursive: true, force: true });
await rm(join(folder, 'baseline.duckdb'), { force: true });
