/** Ctrl-C while Spark computes a transform: what becomes of the query by the server's own account, its event log. */
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openSqliteCatalog } from '../../src/lake/lake.ts';
import { event } from '../support/events.ts';
import { lakeward, said, start } from '../support/program.ts';
import { describeWith } from '../support/python.ts';
import { sparkInstallation } from '../support/spark.ts';
import { jdbcUri } from '../support/spark-engine.ts';
import { lakeFolder } from '../support/worker.ts';

const LAKEWARD = pathToFileURL(join(import.meta.dirname, '../../src/lakeward.ts'));
const EVENTS = 1_000;
/** 10^15 rows: days of work. */
const ENDLESS = `select e.created_datetime::date as day, count(*) as n from events e
  cross join events a cross join events b cross join events c cross join events d
  where a.document || b.document || c.document > d.document group by day`;

const installation = await sparkInstallation();

describeWith(installation, 'lakeward transform run on Spark', () => {
  test('stopped by Ctrl-C, has its query cancelled and its session closed, and leaves nothing behind', async () => {
    const dir = await lakeFolder();
    const log = join(dir, 'spark-log');
    await mkdir(log);
    const server = await installation.serve({ conf: eventLogIn(log) });
    try {
      await writeFile(
        join(dir, 'events.ndjson'),
        Array.from({ length: EVENTS }, (_, n) => `${event(n)}\n`).join(''),
      );
      await mkdir(join(dir, 'transforms'));
      const definition = {
        name: 'endless',
        from: ['lesson:*'],
        mode: 'partitions',
        partition: 'day',
        sql: ENDLESS,
      };
      await writeFile(
        join(dir, 'transforms', 'endless.ts'),
        `import { defineTransform } from ${JSON.stringify(LAKEWARD)};
         export default defineTransform(${JSON.stringify(definition)});`,
      );
      const lake = join(dir, 'lake');
      const env = {
        LAKEWARD_SPARK_URL: `sc://127.0.0.1:${server.port}`,
        LAKEWARD_SPARK_CATALOG_URI: jdbcUri(lake),
      };
      const around = { cwd: dir, env };
      for (const command of [
        ['send', 'events.ndjson'],
        ['run', 'processor', 'staging', '--once'],
      ])
        expect(await lakeward([...command, '--dir', lake], around)).toMatchObject({ code: 0 });

      const running = start(
        [
          'transform',
          'run',
          '--engine',
          'spark',
          '--log-level',
          'info',
          '--log-format',
          'json',
          '--dir',
          lake,
        ],
        around,
      );
      const [, session] = await said(running, /"spark\.connected".*"session":"([^"]+)"/);
      const operation = await until(log, (entries) => {
        const begun = entries.find(
          (each) => kindOf(each) === 'OperationStarted' && /cross join/i.test(String(each['statementText'])),
        );
        const isComputing = entries.some(({ Event }) => Event === 'SparkListenerJobStart');
        return isComputing ? begun?.['operationId'] : undefined;
      });
      running.process.kill('SIGINT');
      const { code, stderr, stdout } = await running.ended;
      expect(code, stderr).toBe(130);
      expect(stderr).toContain('stopped');
      expect(stdout).toMatch(/endless +stopped/);

      const becameOf = (all: readonly Entry[]) =>
        all.filter((each) => each['operationId'] === operation).map(kindOf);
      // The log has it a moment later; until then the test waits.
      const entries = await until(log, (all) => {
        const count = (event: string) => all.filter(({ Event }) => Event === event).length;
        const closed = all.some((each) => kindOf(each) === 'SessionClosed' && each['sessionId'] === session);
        const ended = becameOf(all).some((kind) => kind !== 'OperationStarted');
        const jobsEnded = count('SparkListenerJobStart') === count('SparkListenerJobEnd');
        return closed && ended && jobsEnded ? all : undefined;
      });
      const became = becameOf(entries);
      expect(became).toContain('OperationCanceled');
      expect(became).not.toContain('OperationFinished');
      const catalog = openSqliteCatalog({ path: join(lake, 'catalog.sqlite') });
      const pointer = await catalog.load('marts.endless');
      await catalog.close();
      const metadata = JSON.parse(await readFile(new URL(pointer!.metadataLocation), 'utf8')) as {
        refs: object;
      };
      expect(Object.keys(metadata.refs)).toEqual(['main']);
      expect(await readdir(join(lake, 'work'))).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

type Entry = Readonly<Record<string, unknown>>;

const eventLogIn = (folder: string) => ({
  'spark.eventLog.enabled': 'true',
  'spark.eventLog.dir': String(pathToFileURL(folder)),
  'spark.eventLog.rolling.enabled': 'false',
  'spark.eventLog.compress': 'false',
});

const kindOf = ({ Event }: Entry) => /SparkListenerConnect(\w+)$/.exec(String(Event))?.[1];

async function read(folder: string): Promise<Entry[]> {
  const texts = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  // What is written at this moment may end within a line.
  return texts.flatMap((text) => text.split('\n').slice(0, -1)).map((line) => JSON.parse(line) as Entry);
}

/** What is found in the log, once it is there. */
async function until<Found>(
  folder: string,
  find: (entries: readonly Entry[]) => Found | undefined,
): Promise<Found> {
  const watcher = watch(folder);
  try {
    for (;;) {
      const changed = once(watcher, 'change');
      const found = find(await read(folder));
      if (found !== undefined) return found;
      await changed;
    }
  } finally {
    watcher.close();
  }
}
