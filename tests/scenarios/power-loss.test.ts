import fc from 'fast-check';
import { expect, test } from 'vitest';
import { audit, WHOLE } from '../support/audit.ts';
import { events } from '../support/events.ts';
import { PowerLost, PowerSupply } from '../support/power-loss.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../support/worker.ts';

/** All roles once: what a deployment does over and over. */
async function program(worker: Worker): Promise<void> {
  await worker.process();
  await worker.adopt();
  await worker.stage({ maxRows: 2 });
}

function putBatches(): ScriptedStream {
  const stream = new ScriptedStream({ shards: 2 });
  stream.put([...events(1, 2), 'no event', ...events(3, 1, 4), 'nor this', ...events(2)]);
  stream.script.push({ rows: 3 }, { rows: 3 });
  return stream;
}

async function undisturbed(): Promise<{ operations: number; engine: Worker['engine'] }> {
  const stream = putBatches();
  const power = new PowerSupply();
  let operations = 0;
  power.cuts = () => {
    operations++;
    return undefined;
  };
  const options = { folder: await lakeFolder(), stream, wrapStore: power.store, wrapCatalog: power.catalog };
  const worker = await openWorker(options);
  await program(worker);
  return { operations, engine: worker.engine };
}

test('a power cut at any operation on store or catalog, and another one at the next start, loses and doubles nothing', async () => {
  const { operations, engine } = await undisturbed();
  expect(operations).toBeGreaterThan(40);
  const moment = fc.record({
    at: fc.integer({ min: 0, max: operations - 1 }),
    cut: fc.constantFrom('before' as const, 'after' as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 2 }), async (cuts) => {
      const stream = putBatches();
      const folder = await lakeFolder();
      const power = new PowerSupply();
      for (const { at, cut } of cuts) {
        let operation = 0;
        power.cuts = () => (operation++ === at ? cut : undefined);
        const worker = await openWorker({
          folder,
          stream,
          engine,
          wrapStore: power.store,
          wrapCatalog: power.catalog,
        });
        await program(worker).catch((error: unknown) => {
          // Some code tells what happened in words of its own; without a cut nothing may fail.
          if (!(error instanceof PowerLost) && operation <= at) throw error;
        });
      }
      power.cuts = () => undefined;
      const restarted = await openWorker({ folder, stream, engine });
      await program(restarted);
      expect(await audit(restarted, stream)).toEqual(WHOLE);
    }),
    { numRuns: 20 },
  );
});

test('several workers on the same shards at once, without leases, double and skip nothing', async () => {
  const stream = new ScriptedStream({ shards: 2 });
  const numbers = Array.from({ length: 60 }, (_, i) => i % 50);
  stream.put(events(...numbers));
  stream.put(['no event', 'nor this']);
  const folder = await lakeFolder();
  const workers = await Promise.all([1, 2, 3].map(() => openWorker({ folder, stream, commitAttempts: 100 })));
  await Promise.all(workers.map((worker, i) => worker.process({ maxRows: 7 + i })));
  await Promise.all(workers.map((worker) => worker.adopt()));
  await Promise.all(workers.map((worker) => worker.stage({ maxRows: 20 })));
  expect(await audit(workers[0]!, stream)).toEqual(WHOLE);
  expect(stream.spoolsOpen).toBe(0);
});
