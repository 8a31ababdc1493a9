/** Transforms on Spark: the same rows as on DuckDB, for the examples and for everything that is called portable. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { simulate } from '../../src/cli/cli.ts';
import { defineTransform, loadTransforms } from '../../src/transforms/transforms.ts';
import type { OpenEngine } from '../contracts/engine-staging.ts';
import { samplesOn, samplings } from '../contracts/portable.ts';
import { DOCUMENTS, FAILING_SAMPLES, SHOWN } from '../contracts/portable-samples.ts';
import { describeWith } from '../support/python.ts';
import { sparkInstallation } from '../support/spark.ts';
import type { ConnectServer } from '../support/spark-connect-server.ts';
import { openDuckDbOn, openSparkOn } from '../support/spark-engine.ts';
import { succeeded, transformLake } from '../support/transform-lake.ts';
import { watched } from '../support/watched-engine.ts';
import { lakeFolder } from '../support/worker.ts';

/** A hundred expressions at once take Spark minutes on a machine that does other work. */
const SAMPLES_MS = 900_000;

const EXAMPLES = join(import.meta.dirname, '../../examples');

const product = () => {
  const { events } = simulate({ seed: 11, events: 500, starts_at: Date.UTC(2026, 0, 15) / 1000 });
  return [...events].map(({ document }) => document);
};

const pullRequests = ['opened', 'edited', 'closed'].flatMap((action, step) =>
  [7, 8].map((number) =>
    JSON.stringify({
      event_uuid: `${action} ${number}`,
      event_name: step === 1 ? 'pull_request_review:submitted' : `pull_request:${action}`,
      created_at: `2026-01-${10 + step}T0${number}:00:00Z`,
      repository: { full_name: 'octo-org/octo-repo' },
      sender: { login: 'octocat' },
      pull_request: {
        number,
        state: 'open',
        merged: action === 'closed',
        created_at: '2026-01-10T07:00:00Z',
      },
    }),
  ),
);

/** Three orders on two days, one of them given back a week later. */
const payments = [
  ['one', 'completed', '2026-01-10T10:00:00Z'],
  ['two', 'completed', '2026-01-10T11:00:00Z'],
  ['three', 'completed', '2026-01-11T11:00:00Z'],
  ['one', 'refunded', '2026-01-17T11:00:00Z'],
].map(([id, step, created_at]) =>
  JSON.stringify({
    event_uuid: `${id} ${step}`,
    event_name: `payment:order:${step}`,
    created_at,
    order: { id, plan: 'monthly', currency: 'EUR', amount_minor: 1199 },
    ...(step === 'refunded' && { refund: { amount_minor: 1199 } }),
  }),
);

const installation = await sparkInstallation();

describeWith(installation, 'Spark', () => {
  let server: ConnectServer;
  beforeAll(async () => {
    server = await installation.serve({});
  });
  afterAll(() => server?.stop());

  const open = (folder: string) => openSparkOn(folder, { url: `sc://127.0.0.1:${server.port}` });

  test.for([
    ['daily-active', product],
    ['lesson-funnel', product],
    ['payments', () => payments],
    ['pull-requests', () => pullRequests],
  ] as const)('the example %s has the same rows in its marts', async ([example, documents]) => {
    const transforms = await loadTransforms(join(EXAMPLES, example, 'transforms'));
    const on = async (engine: OpenEngine) => {
      const folder = await lakeFolder();
      const lake = await transformLake({ folder, engine: watched(await engine(folder)) });
      await lake.fill(documents());
      succeeded(await lake.run(transforms));
      return Promise.all(transforms.map(({ name }) => lake.rows(name)));
    };
    const marts = await on(openDuckDbOn);
    expect(marts.map((rows) => rows.length).every((rows) => rows > 0)).toBe(true);
    expect(await on(open)).toEqual(marts);
  });

  test.for(samplings().map((sampling) => [sampling.transform.name, sampling] as const))(
    'gives what DuckDB gives: %s',
    { timeout: SAMPLES_MS },
    async ([, sampling]) => {
      expect(await samplesOn(open, [sampling])).toEqual(await samplesOn(openDuckDbOn, [sampling]));
    },
  );

  test('fails where it would give something else than DuckDB', { timeout: SAMPLES_MS }, async () => {
    const folder = await lakeFolder();
    const lake = await transformLake({ folder, engine: watched(await open(folder)) });
    await lake.fill(DOCUMENTS);
    for (const [n, [expression, said]] of FAILING_SAMPLES.entries()) {
      const sql = `with v as (${SHOWN}) select id, ${expression} as x from v`;
      const transform = defineTransform({
        name: `failing_${n}`,
        from: ['even:*', 'odd:*'],
        mode: 'append',
        sql,
      });
      const [outcome] = await lake.run([transform]);
      expect(outcome?.failure, expression).toMatchObject({
        ...{ code: 'transform.sql', why: expect.stringContaining(said) },
      });
    }
  });
});
