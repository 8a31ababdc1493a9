/** The Spark engine on a server of its own: what every engine must do, and what is particular to Spark. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { damage, simulate } from '../../src/cli/cli.ts';
import { judgedBy, judgingContract, type Records } from '../contracts/engine-judging.ts';
import { stagingContract } from '../contracts/engine-staging.ts';
import { describeWith } from '../support/python.ts';
import { sparkInstallation } from '../support/spark.ts';
import type { ConnectServer } from '../support/spark-connect-server.ts';
import { openDuckDbOn, openSparkOn } from '../support/spark-engine.ts';
import { mutants, ODDITIES } from './odd-records.ts';

const installation = await sparkInstallation();

describeWith(installation, 'Spark', () => {
  let server: ConnectServer;
  beforeAll(async () => {
    server = await installation.serve({ token: 'between us' });
  });
  afterAll(() => server?.stop());

  const open = (folder: string) =>
    openSparkOn(folder, { url: `sc://127.0.0.1:${server.port}/;token=between%20us` });

  judgingContract(open);
  stagingContract(open);

  describe('gives the same verdict as DuckDB, record by record,', () => {
    const same = async (records: Records) => {
      const [ours, theirs] = [await judgedBy(openDuckDbOn, records), await judgedBy(open, records)];
      expect(theirs.length).toBe(records.length);
      for (const [i, row] of theirs.entries()) expect([i, ...row]).toEqual([i, ...ours[i]!]);
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
