/**
 * An engine that writes into the store itself guards its files until their commit is decided, as Spark does with a
 * branch: without the guard another program's removal of orphans could take them before they are committed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { defineTransform } from '../../src/transforms/transforms.ts';
import { event } from '../support/events.ts';
import { changed } from '../support/maintainer.ts';
import { transformLake } from '../support/transform-lake.ts';
import { watched } from '../support/watched-engine.ts';

const BATCHES = new Set<PropertyKey>(['judge', 'readRaw', 'transform']);

/** The embedded engine, telling when it may let go of what guards the files of a batch. */
async function guarding(told: string[]): Promise<Engine> {
  const workFolder = await mkdtemp(join(tmpdir(), 'guarding-'));
  const inner = await openEngine({ workFolder, memory_bytes: 300e6, threads: 1 });
  onTestFinished(async () => {
    await inner.close();
    await rm(workFolder, { recursive: true, force: true });
  });
  return new Proxy(inner, {
    get(target, key) {
      const member = target[key as keyof Engine];
      if (!BATCHES.has(key)) return member;
      return async (...args: unknown[]) => {
        const batch = await (member as (...args: unknown[]) => Promise<AsyncDisposable>)(...args);
        const guard = new AsyncDisposableStack();
        guard.defer(async () => void told.push('let go'));
        const letGo = batch[Symbol.asyncDispose].bind(batch);
        return Object.assign(batch, {
          guard,
          [Symbol.asyncDispose]: async () => {
            await guard.disposeAsync();
            await letGo();
          },
        });
      };
    },
  });
}

const byDay = defineTransform({
  name: 'by_day',
  from: ['lesson:*'],
  mode: 'partitions',
  partition: 'day',
  sql: 'select created_datetime::date as day, count(*) as events from events group by 1',
});
const flat = defineTransform({
  name: 'flat',
  from: ['lesson:*'],
  mode: 'append',
  sql: 'select event_uuid from events',
});

/** Raw, staging and two marts to fill; all that is told stands in one list. */
async function lakeWith({ storeFails = '' } = {}) {
  const told: string[] = [];
  const full = () => new Failure('full', { code: 'object_store.full', fault: 'user' });
  const lake = await transformLake({
    engine: watched(await guarding(told)),
    wrapStore: (store) =>
      changed(store, {
        moveIn: async (files) => {
          if (storeFails !== '' && files.some(({ location }) => location.includes(storeFails))) throw full();
          return store.moveIn(files);
        },
      }),
  });
  lake.worker.beforeSwap = (table) => void told.push(`commits ${table}`);
  lake.stream.put([event(1), event(2)]);
  const steps = {
    raw: () => lake.worker.process(),
    staging: () => lake.worker.stage(),
    marts: () => lake.run([byDay, flat]),
  };
  return { told, steps };
}

describe('what guards the files of a batch', () => {
  test('is kept until their commit is made: of raw, of staging, and of marts in both modes', async () => {
    const { told, steps } = await lakeWith();
    await steps.raw();
    // The first says where reading starts.
    expect(told.splice(0)).toEqual(['commits raw.events', 'commits raw.events', 'let go']);
    await steps.staging();
    expect(told.splice(0)).toEqual(['commits staging.events', 'let go']);
    await steps.marts();
    expect(told).toEqual(['commits marts.by_day', 'let go', 'commits marts.flat', 'let go']);
  });

  test.each([
    ['raw', '/raw/events/'],
    ['staging', '/staging/events/'],
    ['marts', '/marts/'],
  ] as const)('of %s goes where there is no commit, because the store is full', async (full, storeFails) => {
    const { told, steps } = await lakeWith({ storeFails });
    for (const step of ['raw', 'staging', 'marts'] as const) {
      told.length = 0;
      const ran = await steps[step]().catch((error: unknown) => error);
      if (step !== full) continue;
      expect(JSON.stringify(ran)).toContain('object_store.full');
      // What raw began with, and no commit of anything that was written.
      const begun = full === 'raw' ? ['commits raw.events'] : [];
      expect(told).toEqual([...begun, ...(full === 'marts' ? ['let go', 'let go'] : ['let go'])]);
      return;
    }
  });
});
