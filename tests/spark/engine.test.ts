/** The Spark engine on a server of its own: what every engine must do, and what is particular to Spark. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { damage, simulate } from '../../src/cli/cli.ts';
import { QUARANTINE_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { defineTransform } from '../../src/transforms/transforms.ts';
import { judgedBy, judgingContract, type Records } from '../contracts/engine-judging.ts';
import { rewritingContract } from '../contracts/engine-rewriting.ts';
import { type OpenEngine, stagingContract } from '../contracts/engine-staging.ts';
import { rows } from '../support/audit.ts';
import { lakeward } from '../support/program.ts';
import { describeWith } from '../support/python.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { sparkInstallation } from '../support/spark.ts';
import type { ConnectServer } from '../support/spark-connect-server.ts';
import { jdbcUri, openDuckDbOn, openSparkOn } from '../support/spark-engine.ts';
import { succeeded, type TransformLake, transformLake } from '../support/transform-lake.ts';
import { watched } from '../support/watched-engine.ts';
import { lakeFolder } from '../support/worker.ts';
import { mutants, ODDITIES } from './odd-records.ts';

/** One of each mode; whatever engine runs them, a day is computed anew and an event is taken once. */
const MARTS = [
  defineTransform({
    name: 'days',
    from: ['lesson:*', 'exercise:answered'],
    mode: 'partitions',
    partition: 'day',
    sql: `select created_datetime::date as day, event_name, count(*) as n,
        count(distinct document->>'$.learner_id') as learners from events group by all`,
  }),
  defineTransform({
    name: 'answers',
    from: ['exercise:answered'],
    mode: 'append',
    partition: 'at',
    sql: "select event_uuid, created_datetime as at, document->>'$.lesson.id' as lesson from exercise_answered",
  }),
];

const installation = await sparkInstallation();

describeWith(installation, 'Spark', () => {
  let server: ConnectServer;
  beforeAll(async () => {
    server = await installation.serve({ token: 'between us' });
  });
  afterAll(() => server?.stop());

  const url = () => `sc://127.0.0.1:${server.port}/;token=between%20us`;
  const open = (folder: string) => openSparkOn(folder, { url: url() });

  judgingContract(open);
  stagingContract(open);
  rewritingContract((folder) => openSparkOn(folder, { url: url(), rewriteLeast_bytes: 0 }));

  test('a lake that goes from DuckDB to Spark and back holds what one engine alone would have written', async () => {
    const { events } = simulate({ seed: 3, events: 1_200, starts_at: Date.UTC(2026, 0, 15) / 1000 });
    const records = [...damage(events, { seed: 3, repeat_rate: 0.2, damaged_rate: 0.02 }).records];
    const third = Math.ceil(records.length / 3);
    const through = async (engines: readonly OpenEngine[]) => {
      const stream = new ScriptedStream({ shards: 2, firstArrival_ms: Date.UTC(2026, 5, 1) });
      const folder = await lakeFolder();
      let lake: TransformLake | undefined;
      for (const [i, engine] of engines.entries()) {
        lake = await transformLake({ folder, stream, stagingIds: 0, engine: watched(await engine(folder)) });
        await lake.fill(records.slice(i * third, (i + 1) * third).map(({ bytes }) => bytes));
        succeeded(await lake.run(MARTS));
      }
      const { worker } = lake!;
      const columns =
        '* replace (epoch_us(created_datetime) as created_datetime, epoch_us(arrived_at) as arrived_at)';
      return {
        staging: await rows(worker, STAGING_NAME, columns, 'order by event_uuid'),
        quarantine: await rows(
          worker,
          QUARANTINE_NAME,
          'sequence_number, reason, hex(bytes)',
          'order by all',
        ),
        marts: [await lake!.rows('days'), await lake!.rows('answers')],
      };
    };
    const alone = await through([openDuckDbOn, openDuckDbOn, openDuckDbOn]);
    expect(alone.staging.length).toBeGreaterThan(1_000);
    expect(alone.quarantine.length).toBeGreaterThan(10);
    expect(await through([openDuckDbOn, open, openDuckDbOn])).toEqual(alone);
  });

  test('the roles processor and staging take the embedded stream to staging with it, and verify finds nothing amiss', async () => {
    const dir = await lakeFolder();
    const { events } = simulate({ seed: 5, events: 600, starts_at: Date.UTC(2026, 0, 15) / 1000 });
    const { records, truth } = damage(events, { seed: 5 });
    const path = join(dir, 'records.ndjson');
    await writeFile(path, Buffer.concat([...records].flatMap(({ bytes }) => [bytes, Buffer.from('\n')])));
    const env = { LAKEWARD_SPARK_URL: url(), LAKEWARD_SPARK_CATALOG_URI: jdbcUri(dir) };
    const sent = await lakeward(['send', '--dir', dir, path]);
    const run = await lakeward(
      ['run', 'processor', 'staging', '--once', '--json', '--dir', dir, '--engine', 'spark'],
      { env },
    );
    const verified = await lakeward(['verify', '--deep', '--json', '--dir', dir]);
    expect([sent.code, run.code, verified.code], run.stderr).toEqual([0, 0, 0]);
    expect(JSON.parse(run.stdout).data.ledger).toMatchObject({ received: truth.sent });
    expect(JSON.parse(verified.stdout).data.findings).toEqual([]);
    const staged = await lakeward([
      'sql',
      '--dir',
      dir,
      '--format',
      'csv',
      'select count(*) from staging.events',
    ]);
    expect(Number(staged.stdout.trim().split('\n')[1])).toBe(truth.distinct);
  });

  describe('gives the same verdict as DuckDB, record by record,', () => {
    const same = async (records: Records) => {
      const [ours, theirs] = [await judgedBy(openDuckDbOn, records), await judgedBy(open, records)];
      expect(theirs.length).toBe(records.length);
      const other = theirs.flatMap((row, i) =>
        isDeepStrictEqual(row, ours[i]) ? [] : [{ record: String(records[i]), duckdb: ours[i], spark: row }],
      );
      expect(other).toEqual([]);
    };

    test('on a damaged corpus', async () => {
      const { events } = simulate({ seed: 7, events: 3_000, starts_at: Date.UTC(2026, 0, 1) / 1000 });
      const { records } = damage(events, { seed: 7, damaged_rate: 0.3 });
      await same([...records].map(({ bytes }) => bytes));
    });

    test('on what parsers of JSON like to differ about', () => same(ODDITIES));

    test('on records with a few of their characters changed', () => same(mutants(1_500)));
  });
});
