/**
 * Staging by Spark while its connections are cut, its session is ended and the server is killed, each at a moment that
 * is given in bytes of a run: before, in and after the commit of a branch. LAKEWARD_SPARK_ROUNDS says how often.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audit, WHOLE } from '../../../tests/support/audit.ts';
import { loaded } from '../../../tests/support/edited-table.ts';
import { event } from '../../../tests/support/events.ts';
import { describeWith } from '../../../tests/support/python.ts';
import { ScriptedStream } from '../../../tests/support/scripted-stream.ts';
import { seededRandom } from '../../../tests/support/seeded-random.ts';
import { sparkInstallation } from '../../../tests/support/spark.ts';
import type { ConnectServer } from '../../../tests/support/spark-connect-server.ts';
import { openSparkOn } from '../../../tests/support/spark-engine.ts';
import { openTcpProxy, type TcpProxy } from '../../../tests/support/tcp-proxy.ts';
import { watched } from '../../../tests/support/watched-engine.ts';
import { lakeFolder, openWorker } from '../../../tests/support/worker.ts';
import { Failure, systemClock } from '../../base/base.ts';
import { STAGING_NAME } from '../../tables/tables.ts';
import { openSession } from './connect/session.ts';
import { rows } from './connect/statements.ts';

const ROUNDS = Number(process.env['LAKEWARD_SPARK_ROUNDS'] ?? 6);
const ROUND_MS = 240_000;
const TRIES = 20;
const EVENTS = 40;

const FAULTS = ['cut', 'end session', 'kill'] as const;
const installation = await sparkInstallation();

describeWith(installation, 'Spark that fails in the middle of a run', () => {
  let server: ConnectServer;
  let proxy: TcpProxy;
  beforeAll(async () => {
    server = await installation.serve();
    proxy = await openTcpProxy(server.port);
  });
  afterAll(async () => {
    await proxy?.close();
    await server?.stop();
  });

  test(
    `${ROUNDS} times: nothing lost, nothing doubled, no branch left behind`,
    async () => {
      const stream = new ScriptedStream({ shards: 2 });
      const folder = await lakeFolder();
      const worker = await openWorker({ folder, stream });
      const url = `sc://127.0.0.1:${proxy.port}`;
      let session = '';
      const engine = await openSparkOn(folder, { url, attempts: 4, onSession: (id) => (session = id) });
      const stager = await openWorker({ folder, stream, stagingIds: 0, engine: watched(engine) });
      const random = seededRandom(5);
      let made = 0;
      /** New events, and a third of them again that an earlier round brought. */
      const fill = async () => {
        const first = made;
        made += EVENTS;
        const fresh = Array.from({ length: EVENTS }, (_, i) => event(first + i));
        const again = Array.from({ length: EVENTS / 3 }, () => event(Math.floor(random() * made)));
        stream.put([...fresh, ...again]);
        await worker.process({ maxIds: 0 });
      };
      let [fired, failures] = [0, 0];
      let recovering = Promise.resolve();
      const faults: Record<(typeof FAULTS)[number], () => Promise<void>> = {
        cut: async () => proxy.cut(),
        'end session': () => endSession(`sc://127.0.0.1:${server.port}`, session),
        kill: async () => {
          await server.kill();
          await server.restart();
        },
      };
      /** As the role does: what may pass is tried again. */
      const stageUntilDone = async () => {
        for (let tries = 0; ; tries++) {
          try {
            return await stager.stage();
          } catch (error) {
            if (!(error instanceof Failure) || error.retry === 'never' || tries === TRIES) throw error;
            failures++;
            await recovering;
          }
        }
      };

      await fill();
      const before = proxy.sent;
      await stageUntilDone();
      const bytes = proxy.sent - before;
      for (let round = 0; round < ROUNDS; round++) {
        await fill();
        proxy.after(Math.floor(random() * bytes), () => {
          fired++;
          recovering = faults[FAULTS[round % FAULTS.length]!]();
        });
        await stageUntilDone();
        await recovering;
      }
      await fill();
      await stageUntilDone();
      await engine.close();

      expect(fired).toBe(ROUNDS);
      // Cuts are mended by attaching again; that a session or a server has gone, its batch must notice.
      expect(failures).toBeGreaterThan(0);
      expect(await audit(worker, stream)).toEqual(WHOLE);
      expect(Object.keys((await loaded(worker.lake, STAGING_NAME)).metadata.refs)).toEqual(['main']);
    },
    ROUND_MS * (ROUNDS + 1),
  );

  test('an operation outlives every connection that it is read through', async () => {
    const session = openSession({
      ...{ url: `sc://127.0.0.1:${proxy.port}`, clock: systemClock, random: () => 0, attempts: 8 },
      ...{ newId: () => crypto.randomUUID(), heartbeat_ms: 60_000 },
    });
    for (let cuts = 0; cuts < 5; cuts++) {
      proxy.after(300 + cuts * 40, () => proxy.cut());
      const sql = 'select count(*), sum(id) from range(2000000) where sha2(cast(id as string), 256) > "0"';
      expect(await rows(session, sql, { doing: 'counting' })).toEqual([[2_000_000n, 1_999_999_000_000n]]);
    }
    await session.close();
  });
});

/** As a server does with one that was silent too long: another client of the same name ends it. */
async function endSession(url: string, id: string): Promise<void> {
  const session = openSession({
    ...{ url: `${url}/;session_id=${id}`, clock: systemClock, random: Math.random, attempts: 4 },
    ...{ newId: () => crypto.randomUUID(), heartbeat_ms: 3_600_000 },
  });
  await session.close();
}
