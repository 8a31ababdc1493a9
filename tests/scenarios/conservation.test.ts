import { expect, test } from 'vitest';
import { damage, simulate } from '../../src/cli/cli.ts';
import { tallyBalances } from '../../src/event/event.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import { rows } from '../support/audit.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { lakeFolder, openWorker } from '../support/worker.ts';

const EVENTS = 20_000;
const SHARDS = 3;
const WATERMARK_S = 6 * 3600;

interface Sent {
  stream: ScriptedStream;
  truth: ReturnType<typeof simulate>['truth'];
  damaged: ReturnType<typeof damage>['truth'];
  /** event_uuid → the document sent first. */
  first: Map<string, string>;
  /** Repeats that come within the watermark of their original, whatever the batches. */
  near: number;
}

/** Puts the damaged simulation into the stream, a millisecond apart at least, and keeps books of its own. */
function send(): Sent {
  const simulation = simulate({ seed: 11, events: EVENTS, starts_at: Date.UTC(2026, 0, 1) / 1000 });
  let arrived_ms = 0;
  const arriving = function* () {
    for (const event of simulation.events) {
      arrived_ms = Math.max(arrived_ms + 1, event.arrived_at_ms);
      yield event;
    }
  };
  const { records, truth: damaged } = damage(arriving(), { seed: 12 });
  const stream = new ScriptedStream({ shards: SHARDS });
  const first = new Map<string, string>();
  const time_ms = new Map<string, number>();
  let near = 0;
  let count = 0;
  for (const { bytes, kind } of records) {
    if (kind !== 'event') arrived_ms++;
    stream.putAt(bytes, { shard: count++ % SHARDS, arrived_ms });
    if (kind === 'damaged') continue;
    const document = Buffer.from(bytes).toString('utf8');
    const { event_uuid, created_at } = JSON.parse(document) as { event_uuid: string; created_at: number };
    const uuid = event_uuid.toLowerCase();
    if (kind === 'event') {
      first.set(uuid, document);
      time_ms.set(uuid, Math.min(created_at * 1000, arrived_ms));
    } else if (arrived_ms - time_ms.get(uuid)! < WATERMARK_S * 1000) near++;
  }
  return { stream, truth: simulation.truth, damaged, first, near };
}

const counted = (found: unknown[][]) => Object.fromEntries(found.map(([key, count]) => [key, Number(count)]));

test('20,000 simulated events, repeats and damage through a restart come out as the simulation’s own books say', async () => {
  const { stream, truth, damaged, first, near } = send();
  const random = seededRandom(13);
  const sizes = Array.from({ length: 24 }, () => 1 + Math.floor(random() * 1_500));
  const folder = await lakeFolder();
  const options = { watermark_s: WATERMARK_S };

  stream.script.push(...sizes.slice(0, 12).map((size) => ({ rows: size })), { rows: 0 });
  const before = await openWorker({ folder, stream });
  await before.process(options);
  const half = tableState((await before.lake.load(RAW_NAME))!).ledger.received;
  expect(half).toBe(sizes.slice(0, 12).reduce((sum, size) => sum + size));
  await before.stage({ maxRows: 2_000 });

  stream.script.length = 0;
  stream.script.push(...sizes.slice(12).map((size) => ({ rows: size })));
  const worker = await openWorker({ folder, stream });
  await worker.process(options);
  await worker.stage({ maxRows: 5_000 });

  const day = 'strftime(created_datetime, $$%Y-%m-%d$$)';
  expect(counted(await rows(worker, STAGING_NAME, 'event_name, count(*)', 'group by 1'))).toEqual(
    truth.by_name,
  );
  const byDay = await rows(worker, STAGING_NAME, `${day} || ' ' || event_type, count(*)`, 'group by 1');
  const expectedByDay = Object.entries(truth.by_day).flatMap(([at, types]) =>
    Object.entries(types).map(([type, count]) => [`${at} ${type}`, count]),
  );
  expect(counted(byDay)).toEqual(Object.fromEntries(expectedByDay));
  expect(counted(await rows(worker, QUARANTINE_NAME, 'reason, count(*)', 'group by 1'))).toEqual(
    damaged.damaged,
  );

  const staged = await rows(worker, STAGING_NAME, 'lower(event_uuid), document');
  expect(staged).toHaveLength(EVENTS);
  const otherDocument = staged.filter(([uuid, document]) => first.get(String(uuid)) !== document);
  expect(otherDocument).toEqual([]);

  const raw = tableState((await worker.lake.load(RAW_NAME))!).ledger;
  const staging = tableState((await worker.lake.load(STAGING_NAME))!).ledger;
  const quarantined = Object.values(damaged.damaged).reduce((a, b) => a + b);
  expect(tallyBalances(raw)).toBe(true);
  expect(raw).toMatchObject({ received: damaged.sent, quarantined, foreign: 0, removed: 0 });
  expect(staging).toMatchObject({ received: raw.written, written: EVENTS });
  expect(raw.duplicate + staging.duplicate).toBe(damaged.repeats);
  // Level one has done its part: every repeat inside the watermark is gone before raw, across the restart too.
  expect(near).toBeGreaterThan(100);
  expect(raw.duplicate).toBeGreaterThanOrEqual(near);
  expect(staging.duplicate).toBeGreaterThan(0);
  expect(stream.spoolsOpen).toBe(0);
});
