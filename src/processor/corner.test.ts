/** Records on which the engine fails; and failures that are not theirs. */
import { describe, expect, test } from 'vitest';
import { audit, rows, WHOLE } from '../../tests/support/audit.ts';
import { loaded } from '../../tests/support/edited-table.ts';
import { event } from '../../tests/support/events.ts';
import { failingEngine } from '../../tests/support/failing-engine.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { Failure } from '../base/base.ts';
import type { Engine } from '../engine/engine.ts';
import { QUARANTINE_NAME, RAW_NAME, tableState } from '../tables/tables.ts';

const POISON = 'poison';
const good = (n: number) => event(n);
const bad = (n: number) => event(n, { note: POISON });

const crash = (code = 'engine.failed') =>
  new Failure('judging a batch failed in the engine', {
    code,
    fault: 'ourselves',
    why: 'INTERNAL Error: assert',
  });

interface Setting {
  failure?: Failure;
  /** Calls that fail; all by default. */
  times?: number;
  at?: 'judge' | 'writeEvents';
}

async function start(records: readonly string[], { failure = crash(), times, at = 'judge' }: Setting = {}) {
  const stream = new ScriptedStream();
  stream.put(records);
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  const { engine, failed } = failingEngine(worker.engine, {
    marker: POISON,
    failure,
    at,
    ...(times && { times }),
  });
  return { stream, worker, failed, run: () => worker.process({ engine, spoolsAhead: 1 }) };
}

const quarantined = async (worker: Awaited<ReturnType<typeof start>>['worker']) => {
  await worker.adopt();
  return (await rows(worker, QUARANTINE_NAME, 'reason, decode(bytes)', 'order by 2')).map(
    ([reason, bytes]) => [reason, JSON.parse(String(bytes)).event_uuid.slice(-2)],
  );
};

describe('a record on which the engine fails', () => {
  test.each(['judge', 'writeEvents'] as const)(
    'at %s goes to quarantine, and the stream goes on',
    async (at) => {
      const { worker, stream, run } = await start(
        Array.from({ length: 40 }, (_, n) => (n === 7 || n === 8 || n === 31 ? bad(n) : good(n))),
        { at },
      );
      await run();
      expect(await quarantined(worker)).toEqual([
        ['crashed_engine', '07'],
        ['crashed_engine', '08'],
        ['crashed_engine', '31'],
      ]);
      const { ledger } = tableState(await loaded(worker.lake, RAW_NAME));
      expect(ledger).toMatchObject({ received: 40, written: 37, quarantined: 3 });
      stream.put([good(99)]);
      await run();
      await worker.stage();
      const { missing, doubled, strange, ledger: findings } = await audit(worker, stream);
      expect({ doubled, strange, findings }).toEqual({ doubled: [], strange: [], findings: [] });
      expect(missing.map((uuid) => uuid.slice(-2))).toEqual(['07', '08', '31']);
      expect(stream.spoolsOpen).toBe(0);
    },
  );

  test('three times in a batch, and three times alone, is cornered, and not before', async () => {
    // Three batches, then the search: the whole, the whole of the halves, a half, and three times the record.
    const records = [good(1), bad(2), good(3), good(4)];
    for (const [times, cornered] of [
      [8, []],
      [9, [['crashed_engine', '02']]],
    ] as const) {
      const { worker, run, failed } = await start(records, { times });
      await run();
      expect(await quarantined(worker)).toEqual(cornered);
      expect(failed()).toBe(times);
    }
  });

  test('once or twice is judged like any other', async () => {
    const { worker, stream, run, failed } = await start([good(1), bad(2), good(3)], { times: 2 });
    await run();
    await worker.stage();
    expect(failed()).toBe(2);
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
});

describe('nothing is cornered', () => {
  test.each(['engine.disk', 'engine.memory', 'engine.unreadable', 'store.full', 'catalog.busy'])(
    'when %s is what failed',
    async (code) => {
      const { worker, run } = await start([good(1), bad(2), good(3)], { failure: crash(code) });
      await expect(run()).rejects.toMatchObject({ code });
      expect(tableState(await loaded(worker.lake, RAW_NAME)).ledger.received).toBe(0);
    },
  );

  test('when the disk becomes full during the search', async () => {
    const { worker } = await start([good(1), bad(2), good(3)]);
    const { engine } = failingEngine(worker.engine, {
      marker: POISON,
      at: 'judge',
      failure: (time) => crash(time <= 5 ? 'engine.failed' : 'engine.disk'),
    });
    await expect(worker.process({ engine })).rejects.toMatchObject({ code: 'engine.disk' });
    expect(tableState(await loaded(worker.lake, RAW_NAME)).ledger.received).toBe(0);
  });

  test.each([
    [20, 3, [['crashed_engine', '05']]],
    [200, 0, []],
  ] as const)('of %i rows but among %i for which there is memory', async (received, fits, cornered) => {
    const { worker } = await start(Array.from({ length: received }, (_, n) => (n === 5 ? bad(n) : good(n))));
    const { engine } = failingEngine(worker.engine, {
      ...{ marker: POISON, at: 'judge', failure: crash() },
      ...(fits === 0 && { times: 3 }),
    });
    let lacks = 0;
    const tryOut: Engine['tryOut'] = async (spool, limits) => {
      const { from, to } = spool.rows ?? { from: 0, to: received };
      if (to - from <= fits) return engine.tryOut(spool, limits);
      lacks++;
      throw crash('engine.memory');
    };
    const small = new Proxy(engine, {
      get: (target, key) => (key === 'tryOut' ? tryOut : target[key as keyof Engine]),
    });
    await worker.process({ engine: small });
    expect(await quarantined(worker)).toEqual(cornered);
    expect(tableState(await loaded(worker.lake, RAW_NAME)).ledger.received).toBe(received);
    expect(lacks).toBeLessThan(50);
  });

  test('by who is told to stop: it ends at once, and in good order', async () => {
    const { worker, stream } = await start([good(1), bad(2), good(3)]);
    const stop = new AbortController();
    let tried = 0;
    const { engine } = failingEngine(worker.engine, { marker: POISON, at: 'judge', failure: crash() });
    const tryOut: Engine['tryOut'] = async (...batch) => {
      tried++;
      stop.abort();
      return engine.tryOut(...batch);
    };
    const stopping = new Proxy(engine, {
      get: (target, key) => (key === 'tryOut' ? tryOut : target[key as keyof Engine]),
    });
    await worker.process({ engine: stopping, signal: stop.signal });
    expect([tried, stream.spoolsOpen]).toEqual([1, 0]);
    expect(tableState(await loaded(worker.lake, RAW_NAME)).ledger.received).toBe(0);
  });

  test('when the engine fails on every batch, even an empty one', async () => {
    const { worker } = await start([good(1), good(2)]);
    const { engine } = failingEngine(worker.engine, { marker: '', at: 'judge', failure: crash() });
    await expect(worker.process({ engine })).rejects.toMatchObject({
      code: 'processor.engine_fails',
      fault: 'ourselves',
    });
    expect(tableState(await loaded(worker.lake, RAW_NAME)).ledger.received).toBe(0);
  });

  test('when no single record is to blame', async () => {
    const { worker } = await start([good(1), bad(2), good(3), bad(4)]);
    const { engine } = failingEngine(worker.engine, {
      marker: POISON,
      atLeast: 2,
      at: 'judge',
      failure: crash(),
    });
    await expect(worker.process({ engine })).rejects.toMatchObject({
      code: 'processor.engine_fails',
      why: expect.stringContaining('no single record'),
    });
  });
});
