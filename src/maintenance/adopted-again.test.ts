/**
 * An operator rolled quarantine back while raw still names what quarantine had adopted: that is adopted again, of the
 * same files, and the snapshot that held them before is expired about then.
 */
import { expect, test } from 'vitest';
import { audit, rows, WHOLE } from '../../tests/support/audit.ts';
import { foreignSnapshot, loaded, setMain } from '../../tests/support/edited-table.ts';
import { events } from '../../tests/support/events.ts';
import { changed, maintenanceOf, missingFiles } from '../../tests/support/maintainer.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { QUARANTINE_NAME } from '../tables/tables.ts';
import { maintain } from './maintenance.ts';

const quarantined = async (worker: Worker) =>
  (await rows(worker, QUARANTINE_NAME, 'decode(bytes)', 'order by 1')).map(([text]) => text);

/** `beforeDeletion`: once, between the commit of the expiry and the first deletion of what only it needed. */
async function rolledBack({ beforeDeletion }: { beforeDeletion?: (worker: Worker) => Promise<unknown> }) {
  const stream = new ScriptedStream();
  stream.put(['bad one', ...events(1), 'bad two']);
  const folder = await lakeFolder();
  let deletes = 0;
  let expiring = false;
  const worker: Worker = await openWorker({
    ...{ folder, stream },
    wrapStore: (store) =>
      changed(store, {
        async delete(locations) {
          if (expiring && deletes++ === 0) await beforeDeletion?.(worker);
          return store.delete(locations);
        },
      }),
  });
  await worker.process();
  for (let i = 0; i < 10; i++) await foreignSnapshot(worker, QUARANTINE_NAME, {});
  const { metadata } = await loaded(worker.lake, QUARANTINE_NAME);
  await setMain(worker, QUARANTINE_NAME, metadata.snapshots[0]!['snapshot-id']);
  expect(await quarantined(worker)).toEqual([]);
  return {
    ...{ worker, stream },
    async expire() {
      expiring = true;
      const options = maintenanceOf(worker, { folder, rules: { keepSnapshots_ms: 0 } });
      const [report] = await maintain(options, { tables: [QUARANTINE_NAME], dryRun: false });
      expect(report!.work).toMatchObject([{ action: 'expire snapshots', count: 11, result: 'done' }]);
      expiring = false;
      return deletes;
    },
  };
}

test('what raw still names outlives the snapshot of quarantine that had adopted it', async () => {
  const { worker, stream, expire } = await rolledBack({});
  await expire();
  await worker.adopt();
  await worker.stage();
  expect(await quarantined(worker)).toEqual(['bad one', 'bad two']);
  expect(await missingFiles(worker, QUARANTINE_NAME)).toEqual([]);
  expect(await audit(worker, stream)).toEqual(WHOLE);
});

test('what is adopted again while an expiry is about to delete is not deleted', async () => {
  const { worker, stream, expire } = await rolledBack({ beforeDeletion: (worker) => worker.adopt() });
  expect(await expire()).toBeGreaterThan(0);
  await worker.stage();
  expect(await missingFiles(worker, QUARANTINE_NAME)).toEqual([]);
  expect(await quarantined(worker)).toEqual(['bad one', 'bad two']);
  expect(await audit(worker, stream)).toEqual(WHOLE);
});
