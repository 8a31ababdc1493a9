import { expect, test } from 'vitest';
import { event } from '../../tests/support/events.ts';
import { maintenanceOf } from '../../tests/support/maintainer.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import { RAW_NAME } from '../tables/tables.ts';
import { maintain } from './maintenance.ts';

/** Raw with two partitions to compact, and an engine whose `fails`th rewrite finds its service away. */
async function compacting(fails?: number) {
  const folder = await lakeFolder();
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder, stream });
  for (let commit = 0; commit < 4; commit++) {
    stream.put([event(2 * commit), event(2 * commit + 1).replace('lesson:', 'account:')]);
    await worker.process();
    await worker.stage();
  }
  const told = { written: 0, settled: 0 };
  const rewrite: Engine['rewrite'] = async (input) => {
    if (told.written + 1 === fails)
      throw new Failure('away', { code: 'spark.unreachable', fault: 'service', retry: 'backoff' });
    told.written++;
    const guard = new AsyncDisposableStack();
    guard.defer(async () => void told.settled++);
    return Object.assign(await worker.engine.rewrite(input), { guard });
  };
  const openEngine = async () => ({ ...worker.engine, rewrite, close: async () => {} });
  const options = { ...maintenanceOf(worker, { folder, rules: { minFiles: 3 } }), openEngine };
  return { told, run: () => maintain(options, { tables: [RAW_NAME], dryRun: false }) };
}

test('what an engine keeps for a commit is let go once the commit is decided', async () => {
  const { told, run } = await compacting();
  await run();
  expect(told).toEqual({ written: 2, settled: 2 });
});

test('… and when there will be none, because a later partition could not be rewritten', async () => {
  const { told, run } = await compacting(2);
  await expect(run()).rejects.toMatchObject({ code: 'spark.unreachable' });
  expect(told).toEqual({ written: 1, settled: 1 });
});
