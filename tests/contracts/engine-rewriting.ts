/** What compaction relies on, whichever engine writes files anew. */
import { describe, expect, test } from 'vitest';
import { maintain } from '../../src/maintenance/maintenance.ts';
import { RAW, RAW_NAME, STAGING, STAGING_NAME } from '../../src/tables/tables.ts';
import { audit, rows, WHOLE } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { maintenanceOf } from '../support/maintainer.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';
import type { OpenEngine } from './engine-staging.ts';

const COMMITS = 5;
const NOTES = ['', 'käse 日本 \u{1f600}', 'a\\u0000b', "it's", 'x'.repeat(3000), '\\n\\t'];
const NEVER = new AbortController().signal;

/** Every commit has events of two types on one day, so that each of their partitions gets a file. */
async function filled(open: OpenEngine) {
  const stream = new ScriptedStream();
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream });
  for (let commit = 0; commit < COMMITS; commit++) {
    const numbers = Array.from({ length: 12 }, (_, i) => commit * 12 + i);
    stream.put(
      numbers.map((n) => {
        const body = event(n, { note: NOTES[n % NOTES.length]! });
        return n % 3 === 0 ? body.replace('lesson:', 'account:') : body;
      }),
    );
    await worker.process();
    await worker.stage();
  }
  // Closed by the test, like every engine that the contract opens.
  const engine = { ...(await open(folder)), close: async () => {} };
  return { folder, stream, worker, engine };
}

const filesOf = async ({ lake }: Worker, name: string) =>
  (await lake.files(await loaded(lake, name))).files.toSorted((a, b) =>
    String(a.partition) < String(b.partition) ? -1 : 1,
  );

const COLUMNS = RAW.schema.fields.map(({ name, type }) =>
  type === 'timestamptz' ? `epoch_us(${name})` : name,
);
const contents = (worker: Worker, name: string) =>
  rows(worker, name, COLUMNS.join(', '), 'order by event_uuid');

export function rewritingContract(open: OpenEngine): void {
  describe('compaction', () => {
    test('brings the files of a partition together: the same rows, sorted as the table is, and read by nobody again', async () => {
      const { folder, stream, worker, engine } = await filled(open);
      const tables = [RAW_NAME, STAGING_NAME];
      const before = await Promise.all(tables.map((name) => contents(worker, name)));
      expect((await filesOf(worker, RAW_NAME)).length).toBe(2 * COMMITS);

      const reports = await maintain(
        { ...maintenanceOf(worker, { folder, rules: { minFiles: 3 } }), openEngine: async () => engine },
        { tables, dryRun: false },
      );
      const compacted = { action: 'compact', count: 2 * COMMITS, into: 2, result: 'done' };
      for (const { work } of reports) expect(work).toContainEqual(expect.objectContaining(compacted));

      expect(await Promise.all(tables.map((name) => contents(worker, name)))).toEqual(before);
      for (const name of tables) expect((await filesOf(worker, name)).length).toBe(2);
      const staged = await filesOf(worker, STAGING_NAME);
      expect(staged.map(({ sortOrderId }) => sortOrderId)).toEqual([1, 1]);
      for (const { location } of staged) {
        const order = await inFileOrder(worker, location);
        expect(order).toEqual(order.toSorted());
      }
      expect((await worker.stage()).received).toBe(0);
      expect(await audit(worker, stream)).toEqual(WHOLE);
    });

    test('refuses files whose rows lie in another partition', async () => {
      const { worker, engine } = await filled(open);
      const files = (await filesOf(worker, RAW_NAME)).filter(({ partition }) => partition[1] === 'lesson');
      const [day] = files[0]!.partition;
      const asked = {
        name: RAW_NAME,
        table: RAW,
        files,
        partition: [Number(day) + 1, 'lesson'],
        signal: NEVER,
      };
      await expect(engine.rewrite(asked)).rejects.toMatchObject({
        code: expect.stringMatching(/^engine\.(misplaced_rows|rows_differ)$/),
      });
      expect(Object.keys((await loaded(worker.lake, RAW_NAME)).metadata.refs)).toEqual(['main']);
    });

    test('says of a file that is gone that it cannot be read, and nothing is left of the attempt', async () => {
      const { worker, engine } = await filled(open);
      const [first, second] = await filesOf(worker, STAGING_NAME);
      const files = [
        first!,
        { ...second!, partition: first!.partition, location: `${first!.location}.gone` },
      ];
      const asked = { name: STAGING_NAME, table: STAGING, files, partition: first!.partition, signal: NEVER };
      await expect(engine.rewrite(asked)).rejects.toMatchObject({
        code: expect.stringMatching(/^engine\./),
      });
      expect(Object.keys((await loaded(worker.lake, STAGING_NAME)).metadata.refs)).toEqual(['main']);
    });

    test('that is stopped says so, and leaves nothing', async () => {
      const { worker, engine } = await filled(open);
      const files = (await filesOf(worker, RAW_NAME)).filter(({ partition }) => partition[1] === 'lesson');
      const { partition } = files[0]!;
      const stop = AbortSignal.abort();
      const asked = { name: RAW_NAME, table: RAW, files, partition, signal: stop };
      await expect(engine.rewrite(asked)).rejects.toMatchObject({ code: 'engine.interrupted' });
      expect(Object.keys((await loaded(worker.lake, RAW_NAME)).metadata.refs)).toEqual(['main']);
    });
  });
}

/** Sort keys as one text a row, in the order in which the rows stand in the file. */
async function inFileOrder({ engine }: Worker, location: string): Promise<string[]> {
  const { chunks } = await engine.query(
    `select event_name || ' ' || epoch_us(created_datetime)::varchar from read_parquet('${location}', file_row_number = true)
     order by file_row_number`,
  );
  const found: string[] = [];
  for await (const chunk of chunks()) for (const [key] of chunk) found.push(String(key));
  return found;
}
