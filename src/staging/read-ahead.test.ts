import { expect, it } from 'vitest';
import { loaded } from '../../tests/support/edited-table.ts';
import { event } from '../../tests/support/events.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker } from '../../tests/support/worker.ts';
import { type Consumed, RAW_NAME } from '../tables/tables.ts';
import { ReadAhead, readPortion } from './read-ahead.ts';

/** Raw with three commits of ten events; every batch that is read says when it is disposed of. */
async function opened() {
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder: await lakeFolder(), stream });
  for (const first of [0, 10, 20]) {
    stream.put(Array.from({ length: 10 }, (_, i) => event(first + i)));
    await worker.process();
  }
  const log: string[] = [];
  const engine = Object.create(worker.engine, {
    readRaw: {
      value: async (files: Parameters<typeof worker.engine.readRaw>[0]) => {
        const batch = await worker.engine.readRaw(files);
        log.push('read');
        return Object.create(batch, {
          rows: { value: batch.rows },
          [Symbol.asyncDispose]: {
            value: async () => {
              log.push('disposed');
              await batch[Symbol.asyncDispose]();
            },
          },
        });
      },
    },
  });
  const reading = { lake: worker.lake, engine, maxRows: 10 };
  const raw = await loaded(worker.lake, RAW_NAME);
  const first = (await readPortion(reading, { raw, consumed: undefined }))!;
  await first.batch[Symbol.asyncDispose]();
  log.length = 0;
  return { reading, raw, to: first.portion.to, log };
}

it('what was read ahead is taken by who begins where it begins', async () => {
  const { reading, raw, to, log } = await opened();
  const ahead = new ReadAhead(reading);
  ahead.begin(raw, to);
  const next = (await ahead.take(to))!;
  expect(next.batch.rows).toBe(10);
  expect(next.portion.to.sequenceNumber).toBeGreaterThan(to.sequenceNumber);
  expect(log).toEqual(['read']);
  expect(await ahead.take(to)).toBeUndefined();
  await next.batch[Symbol.asyncDispose]();
});

it.each<[string, (to: Consumed) => Consumed | undefined]>([
  ['somewhere else', (to) => ({ ...to, sequenceNumber: to.sequenceNumber + 1 })],
  ['in another table', (to) => ({ ...to, uuid: 'another' })],
  ['behind another snapshot', (to) => ({ ...to, snapshot: to.snapshot + 1n })],
  ['at the beginning', () => undefined],
])('who begins %s gets nothing of it, and it is let go', async (_, from) => {
  const { reading, raw, to, log } = await opened();
  const ahead = new ReadAhead(reading);
  ahead.begin(raw, to);
  expect(await ahead.take(from(to))).toBeUndefined();
  expect(log).toEqual(['read', 'disposed']);
});

it('reading ahead that failed is nothing read', async () => {
  const { reading, raw, to } = await opened();
  const ahead = new ReadAhead({
    ...reading,
    engine: { ...reading.engine, readRaw: () => Promise.reject(new Error('no')) },
  });
  ahead.begin(raw, to);
  expect(await ahead.take(to)).toBeUndefined();
});
