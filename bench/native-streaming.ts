/**
 * Spark Structured Streaming's own way to drop duplicates (examples/structured-streaming) beside ours, on the same raw
 * table: how many events it drops without a word, how many repeats it lets through, and what that costs, at watermarks
 * of 1 minute, 10 minutes and 1 hour.
 *
 * Arrivals of six hours in 24 commits. Of a thousand events 900 arrive within half a minute, 70 within ten minutes, 25
 * within an hour and 5 within a day; a tenth comes again up to two hours later.
 *
 * Usage: node bench/native-streaming.ts [EVENTS]   Last line: figure against bar, of ours; exits 1 when it is missed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { silentLog, systemClock } from '../src/base/base.ts';
import { stageEvents } from '../src/staging/staging.ts';
import { pythonWith } from '../tests/support/python.ts';
import { sparkInstallation, sparkJars } from '../tests/support/spark.ts';
import { benchLake, embedded, intoRaw, jdbcUri, newId } from './raw-lake.ts';

const events = Number(process.argv[2] ?? 200_000);
const COMMITS = 24;
const SPAN_S = 6 * 3600;
const FIRST_S = Date.UTC(2026, 0, 15, 6) / 1000;
const WATERMARKS = ['1 minute', '10 minutes', '1 hour'];
const SCRIPT = join(import.meta.dirname, '../examples/structured-streaming/dedupe.py');

const installation = await sparkInstallation();
if (installation.missing !== undefined) {
  console.error(installation.missing);
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'bench-native-'));
try {
  console.log(`${availableParallelism()} cores (load ${loadavg()[0]!.toFixed(1)} before), ${events} events`);
  const lake = await benchLake(folder);
  const engine = await embedded(folder);
  const distinct = await fillRaw({ lake, engine });
  const began = performance.now();
  const { written } = await stageEvents({
    ...{ lake, engine, clock: systemClock, log: silentLog, writer: 'bench', newId, random: Math.random },
    ...{ maxRows: events, signal: new AbortController().signal },
    bounds: { filesMost: 4_096, typesMost: 1_000 },
  });
  const ours_s = (performance.now() - began) / 1000;
  await engine.close();
  await lake.close();
  console.log('                    written   late dropped   repeats left   ids held   events/s');
  for await (const run of native()) {
    const held = String(run.idsHeldMost);
    line(
      `native, ${run.watermark}`,
      [run.written, run.lateDropped, run.written - run.distinct, held],
      run.seconds,
    );
  }
  line('ours', [written, 0, written - distinct, '(history)'], ours_s);
  console.log(`${written} of ${distinct} distinct events written by ours, bar: all of them, once`);
  process.exitCode = written === distinct ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function line(
  name: string,
  [written, late, left, held]: readonly (number | string)[],
  seconds: number,
): void {
  const rate = Math.round(events / seconds);
  const cells = [String(written).padStart(8), String(late).padStart(14), String(left).padStart(14)];
  console.log(
    `${name.padEnd(18)} ${cells.join(' ')} ${String(held).padStart(10)} ${String(rate).padStart(10)}`,
  );
}

/** Number n arrives at its place in the span; every tenth is an earlier one again. Answers how many there are. */
async function fillRaw(into: Parameters<typeof intoRaw>[0]): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  const back = Math.floor((events / SPAN_S) * 7200);
  await c.run(`create table sent as
    select n, id, ${FIRST_S} + n * ${SPAN_S} / ${events} as arrived_s,
      ${FIRST_S} + id * ${SPAN_S} / ${events} - case when id * 7919 % 1000 < 900 then id % 30
        when id * 7919 % 1000 < 970 then id % 600 when id * 7919 % 1000 < 995 then id % 3600 else id % 86400 end as made_s
    from (select range as n, case when range % 10 = 9 then greatest(0, range - range * 104729 % ${back} - 1) else range end as id
      from range(${events}))`);
  const per = Math.ceil(events / COMMITS);
  for (let first = 0; first < events; first += per) {
    const path = join(folder, `spool-${first}.parquet`);
    await c.run(`copy (select encode('{"event_uuid":"' || md5(id::varchar)::uuid || '","event_name":"lesson:started","created_at":'
        || round(made_s, 3)::decimal(18, 3) || ',"payload":"' || repeat('x', 120) || '"}') as body, (n + 1000)::varchar as seq,
        (arrived_s * 1000)::bigint as arrived_ms, 0::int as shard, -1::int as sub
      from sent where n >= ${first} and n < ${first + per} order by n) to '${path}' (format parquet)`);
    await intoRaw(into, path);
  }
  const [[distinct] = []] = (await c.runAndReadAll('select count(distinct id) from sent')).getRowsJson();
  instance.closeSync();
  return Number(distinct);
}

interface Native {
  watermark: string;
  written: number;
  distinct: number;
  lateDropped: number;
  idsHeldMost: number;
  seconds: number;
}

async function* native(): AsyncGenerator<Native> {
  const python = await pythonWith('spark');
  const asked = {
    ...{ jars: (await sparkJars()).join(','), uri: jdbcUri(folder), warehouse: join(folder, 'lake') },
    ...{ checkpoints: join(folder, 'checkpoints'), watermarks: WATERMARKS },
  };
  const child = python.start(SCRIPT, { cwd: folder, args: [JSON.stringify(asked)] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-4_000);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const text of createInterface({ input: child.stdout })) {
    if (text.startsWith('{')) yield JSON.parse(text) as Native;
  }
  if ((await ended) !== 0) throw new Error(`the example failed: ${said}`);
}
