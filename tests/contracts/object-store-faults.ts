/** What the store on S3 makes of everything that can go wrong between it and the store's server. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import { type ObjectStore, openS3Store, type S3Limits } from '../../src/object-store/object-store.ts';
import {
  FAULTS,
  type Fault,
  type FaultyProxy,
  type Passing,
  startFaultyProxy,
} from '../support/faulty-proxy.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { codeOf, listed, read, text } from './object-store-contract.ts';

const PART_BYTES = 5 * 1024 * 1024;
const ATTEMPTS = 8;
const ATTEMPT_MS = 300_000;
const PASSING_FAULTS: readonly Fault[] = FAULTS.filter((fault) => !['no answer', 'conflict'].includes(fault));
/** Of these the client cannot know whether the store did it. */
const UNCERTAIN: readonly Fault[] = [
  ...(['lost request', 'lost answer', 'late request', 'slow down', 'internal error'] as const),
  ...(['bad gateway', 'gateway timeout', 'gateway timeout after it was done'] as const),
  'half answer',
];
/** With those that land late. */
const DONE_ALL_THE_SAME: readonly Fault[] = [
  ...(['lost answer', 'half answer', 'late request', 'gateway timeout after it was done'] as const),
];

export function describeFaults({
  name,
  upstream,
  runs,
}: {
  name: string;
  upstream: () => string;
  runs: number;
}): void {
  describe(`a store on S3 ${name}`, () => {
    let proxy: FaultyProxy;
    let clock: VirtualClock;
    let store: ObjectStore;
    /** The same objects, without a proxy between. */
    let plain: ObjectStore;
    let folder: string;
    let opened = 0;

    const open = (endpoint: string, limits: Partial<S3Limits> = {}) =>
      openS3Store({
        ...{ root: `s3://lake/faults ${opened}`, endpoint, clock, random: seededRandom(opened) },
        credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
        limits: { attempts: ATTEMPTS, attempt_ms: ATTEMPT_MS, ...limits },
      });
    /** These faults meet the first requests that match, one each; what follows passes. */
    const meet = (faults: readonly Fault[], matching: (request: Passing) => boolean = () => true) => {
      const left = [...faults];
      proxy.choose = (request) => (matching(request) ? left.shift() : undefined);
    };
    const puts = () => proxy.seen.filter(({ method }) => method === 'PUT');
    const at = (key: string) => `${store.root}/${key}`;

    beforeAll(async () => {
      proxy = await startFaultyProxy(upstream());
      folder = await mkdtemp(join(tmpdir(), 's3-faults-'));
    });
    afterAll(async () => {
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    });
    beforeEach(() => {
      opened++;
      clock = new VirtualClock({ running: true });
      proxy.choose = () => undefined;
      proxy.seen.length = 0;
      store = open(proxy.endpoint);
      plain = open(upstream());
    });

    describe.each(PASSING_FAULTS.map((fault) => [fault]))('that meets "%s"', (fault) => {
      test('reads, looks, lists, writes and deletes all the same', async () => {
        await plain.write(at('old'), text('as it was'));
        const twice = async <T>(action: () => Promise<T>) => {
          meet([fault, fault]);
          return action();
        };
        expect(await twice(() => read(store, at('old')))).toBe('as it was');
        expect(await twice(() => store.read(at('old'), { offset: 3, length: 2 }))).toEqual(text('it'));
        expect((await twice(() => store.head(at('old'))))?.size).toBe(9);
        expect(await twice(() => listed(store, store.root))).toEqual(['/old']);
        await twice(() => store.write(at('new'), text('new')));
        expect(await read(plain, at('new'))).toBe('new');
        await twice(() => store.delete([at('old'), at('new')]));
        expect(await listed(plain, plain.root)).toEqual([]);
        await proxy.landLate();
      });
    });

    test('gives up after its attempts, and says whose fault it is', async () => {
      await plain.write(at('x'), text('x'));
      proxy.choose = () => 'slow down';
      const failure = await store.read(at('x')).catch((error) => error);
      expect(failure).toMatchObject({ code: 'object_store.slow_down', fault: 'service', retry: 'backoff' });
      expect(proxy.seen).toHaveLength(ATTEMPTS);
    });

    test('waits longer from attempt to attempt, twelve seconds in all at most', async () => {
      const began_ms = clock.now();
      proxy.choose = () => 'internal error';
      await store.head(at('x')).catch(codeOf);
      const waited_ms = clock.now() - began_ms;
      // Seven pauses: 100 ms, twice as long each time, less up to a half by chance.
      expect(waited_ms).toBeGreaterThan(12_700 / 2);
      expect(waited_ms).toBeLessThanOrEqual(12_700);
    });

    test('gives up an attempt without an answer at its deadline, and tries again', async () => {
      await plain.write(at('x'), text('there'));
      meet(['no answer']);
      const unanswered = proxy.whenUnanswered();
      const answer = read(store, at('x'));
      await unanswered;
      clock.advance(ATTEMPT_MS);
      expect(await answer).toBe('there');
    });

    test('does not wait for a connection that is silent', async () => {
      await plain.write(at('x'), text('there'));
      meet(['no answer']);
      expect(await read(open(proxy.endpoint, { silence_ms: 50 }), at('x'))).toBe('there');
    });

    describe.each(UNCERTAIN.map((fault) => [fault]))('whose swap meets "%s"', (fault) => {
      test('says unknown, and has sent it once', async () => {
        await plain.write(at('pointer'), text('first'));
        const { etag } = (await plain.head(at('pointer')))!;
        meet([fault], ({ method }) => method === 'PUT');
        const outcome = await store.writeIfMatch(at('pointer'), text('second'), etag).catch((error) => error);
        expect(outcome).toMatchObject({ code: 'object_store.unknown', retry: 'refresh', fault: 'service' });
        expect(puts()).toHaveLength(1);
        await proxy.landLate();
        const done = DONE_ALL_THE_SAME.includes(fault);
        expect(await read(plain, at('pointer'))).toBe(done ? 'second' : 'first');
      });
    });

    test('says unknown of a swap that has no answer at the deadline', async () => {
      await plain.write(at('pointer'), text('first'));
      const { etag } = (await plain.head(at('pointer')))!;
      meet(['no answer'], ({ method }) => method === 'PUT');
      const unanswered = proxy.whenUnanswered();
      const outcome = store.writeIfMatch(at('pointer'), text('second'), etag).catch(codeOf);
      await unanswered;
      clock.advance(ATTEMPT_MS);
      expect(await outcome).toBe('object_store.unknown');
      expect(puts()).toHaveLength(1);
    });

    test('tells of a refusal for what it is: nothing was written, and it may be tried again', async () => {
      await plain.write(at('pointer'), text('first'));
      const { etag } = (await plain.head(at('pointer')))!;
      meet(['too many requests'], ({ method }) => method === 'PUT');
      const outcome = await store.writeIfMatch(at('pointer'), text('second'), etag).catch((error) => error);
      expect(outcome).toMatchObject({ code: 'object_store.slow_down', retry: 'backoff' });
      expect(await read(plain, at('pointer'))).toBe('first');
    });

    test('judges again after a conflict: swaps when the etag is still the one, else not', async () => {
      await plain.write(at('pointer'), text('first'));
      const { etag } = (await plain.head(at('pointer')))!;
      meet(['conflict', 'conflict'], ({ method }) => method === 'PUT');
      expect(await store.writeIfMatch(at('pointer'), text('second'), etag)).toBe(true);
      meet(['conflict'], ({ method }) => method === 'PUT');
      expect(await store.writeIfMatch(at('pointer'), text('third'), etag)).toBe(false);
      expect(await read(plain, at('pointer'))).toBe('second');
    });

    test('judges again after a conflict: creates when there is nothing, else not', async () => {
      meet(['conflict', 'conflict'], ({ method }) => method === 'PUT');
      expect(await store.writeIfAbsent(at('fresh'), text('ours'))).toBe(true);
      meet(['conflict'], ({ method }) => method === 'PUT');
      expect(await store.writeIfAbsent(at('fresh'), text('late'))).toBe(false);
      expect(await read(plain, at('fresh'))).toBe('ours');
    });

    test('says busy when the conflicts do not end', async () => {
      proxy.choose = ({ method }) => (method === 'PUT' ? 'conflict' : undefined);
      expect(await store.writeIfAbsent(at('fresh'), text('ours')).catch(codeOf)).toBe('object_store.busy');
      expect(await plain.head(at('fresh'))).toBeUndefined();
    });

    describe.each(UNCERTAIN.map((fault) => [fault]))('whose creation meets "%s"', (fault) => {
      test('finds out, and says true of its own bytes, whichever of its requests brought them', async () => {
        meet([fault, fault], ({ method }) => method === 'PUT');
        expect(await store.writeIfAbsent(at('fresh'), text('ours'))).toBe(true);
        expect(await read(plain, at('fresh'))).toBe('ours');
        expect((await proxy.landLate()).every((status) => status === 412)).toBe(true);
        expect(await read(plain, at('fresh'))).toBe('ours');
      });

      test('says unknown, not false, when it finds the bytes of somebody else', async () => {
        const faults = [fault];
        proxy.choose = async ({ method }) => {
          if (method === 'PUT') return faults.shift();
          await plain.write(at('fresh'), text('theirs'));
          return undefined;
        };
        expect(await store.writeIfAbsent(at('fresh'), text('ours')).catch(codeOf)).toBe(
          'object_store.unknown',
        );
        expect(puts()).toHaveLength(1);
        await proxy.landLate();
        expect(await read(plain, at('fresh'))).toBe('theirs');
      });
    });

    test('knows the bytes that it is refused for as its own, when an earlier request came late', async () => {
      let requests = 0;
      proxy.choose = async ({ method }) => {
        if (method !== 'PUT') return undefined;
        if (++requests === 1) return 'late request';
        await proxy.landLate();
        return undefined;
      };
      expect(await store.writeIfAbsent(at('fresh'), text('ours'))).toBe(true);
      expect(requests).toBe(2);
      expect(await read(plain, at('fresh'))).toBe('ours');
    });

    test('does not bring back what was deleted while it was finding out', async () => {
      let requests = 0;
      proxy.choose = async ({ method }) => {
        if (method === 'PUT' && ++requests === 1) return 'late request';
        if (method === 'PUT') await proxy.landLate();
        else if (requests === 2) await plain.delete([at('fresh')]);
        return undefined;
      };
      expect(await store.writeIfAbsent(at('fresh'), text('ours')).catch(codeOf)).toBe('object_store.unknown');
      expect(requests).toBe(2);
      expect(await plain.head(at('fresh'))).toBeUndefined();
    });

    test('does not count the wait for a place among its requests as time without an answer', async () => {
      await plain.write(at('x'), text('there'));
      meet(['no answer']);
      const unanswered = proxy.whenUnanswered();
      const narrow = open(proxy.endpoint, { requests: 1, attempts: 1 });
      const first = read(narrow, at('x')).catch(codeOf);
      await unanswered;
      const second = read(narrow, at('x')).catch(codeOf);
      await new Promise(setImmediate);
      clock.advance(ATTEMPT_MS);
      expect(await first).toBe('object_store.unavailable');
      expect(await second).toBe('there');
    });

    test('says unknown of a creation when it cannot find out what became of it', async () => {
      proxy.choose = ({ method }) => (method === 'PUT' ? 'lost answer' : 'internal error');
      expect(await store.writeIfAbsent(at('fresh'), text('ours')).catch(codeOf)).toBe('object_store.unknown');
      expect(puts()).toHaveLength(1);
      expect(await read(plain, at('fresh'))).toBe('ours');
    });

    test('says unknown of a creation that is lost again and again', async () => {
      proxy.choose = ({ method }) => (method === 'PUT' ? 'late request' : undefined);
      expect(await store.writeIfAbsent(at('fresh'), text('ours')).catch(codeOf)).toBe('object_store.unknown');
      expect(await plain.head(at('fresh'))).toBeUndefined();
      await proxy.landLate();
      expect(await read(plain, at('fresh'))).toBe('ours');
    });

    describe('moving in a file of three parts', () => {
      const bytes = Buffer.alloc(2 * PART_BYTES + 1000);
      const random = seededRandom(3);
      for (let i = 0; i < bytes.length; i += 997) bytes[i] = random() * 256;
      const move = async (over: Partial<S3Limits> = {}) => {
        const localPath = join(folder, `${opened}.parquet`);
        await writeFile(localPath, bytes);
        const limits = { part_bytes: PART_BYTES, ...over };
        const moved = open(proxy.endpoint, limits).moveIn([{ localPath, location: at('data/1.parquet') }]);
        return {
          localPath,
          failure: await moved.then(
            () => undefined,
            (error: Failure) => error,
          ),
        };
      };
      const isThere = (path: string) =>
        stat(path).then(
          () => true,
          () => false,
        );

      test.each<[string, Fault, (request: Passing) => boolean]>([
        ['its beginning', 'lost answer', ({ url }) => url.includes('uploads')],
        ['a part', 'lost answer', ({ url }) => url.includes('partNumber=2')],
        ['a part', 'lost request', ({ url }) => url.includes('partNumber=3')],
        ['a part', 'slow down', ({ url }) => url.includes('partNumber=1')],
        ['its end', 'slow down', ({ method, url }) => method === 'POST' && url.includes('uploadId')],
        ['its end', 'lost answer', ({ method, url }) => method === 'POST' && url.includes('uploadId')],
        ['its end', 'half answer', ({ method, url }) => method === 'POST' && url.includes('uploadId')],
      ])('succeeds though %s meets "%s"', async (_what, fault, matching) => {
        meet([fault], matching);
        const { localPath, failure } = await move();
        expect(failure).toBeUndefined();
        expect(Buffer.compare(await plain.read(at('data/1.parquet')), bytes)).toBe(0);
        expect(await isThere(localPath)).toBe(false);
        expect(proxy.seen.some(({ fault: met }) => met === fault)).toBe(true);
      });

      test('that cannot be done leaves no upload and no object behind, and the local file where it was', async () => {
        proxy.choose = ({ url }) => (url.includes('partNumber=2') ? 'internal error' : undefined);
        const { localPath, failure } = await move();
        expect(failure).toMatchObject({ code: 'object_store.unavailable', retry: 'backoff' });
        expect(await isThere(localPath)).toBe(true);
        expect(await plain.head(at('data/1.parquet'))).toBeUndefined();
        const last = proxy.seen.at(-1)!;
        expect([last.method, last.url.includes('uploadId')]).toEqual(['DELETE', true]);
        const left = await (await fetch(`${upstream()}/lake?uploads`)).text();
        expect(left).not.toContain(`<Key>faults ${opened}/`);
      });
    });

    const anyFault = fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: fc.constantFrom(...FAULTS.filter((fault) => fault !== 'no answer')) },
    );
    const step = fc.record({
      action: fc.constantFrom('write', 'create', 'swap', 'swap stale', 'read', 'delete', 'land'),
      key: fc.constantFrom('a', 'b'),
      faults: fc.array(anyFault, { maxLength: 12 }),
    });

    let runNumber = 0;
    test('tells the truth about every single action, whatever happens on the way', async () => {
      store = open(proxy.endpoint, { attempts: 3 });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const run = `run ${++runNumber}`;
          for (const [number, { action, key, faults }] of steps.entries()) {
            const left = [...faults];
            proxy.choose = () => left.shift();
            await judged({ action, location: at(`${run}/${key}`), bytes: text(`${run} ${number}`) });
          }
        }),
        { numRuns: runs },
      );
    });

    async function judged({
      action,
      location,
      bytes,
    }: {
      action: string;
      location: string;
      bytes: Uint8Array;
    }): Promise<void> {
      const content = () => plain.read(location).catch(codeOf);
      const etag = async () => (await plain.head(location))?.etag;
      if (action === 'land') return void (await proxy.landLate());
      const [before, etagBefore] = [await content(), await etag()];
      const asked = action === 'swap' ? (etagBefore ?? '"none"') : '"00000000000000000000000000000000"';
      const perform: Record<string, () => Promise<unknown>> = {
        write: () => store.write(location, bytes),
        create: () => store.writeIfAbsent(location, bytes),
        swap: () => store.writeIfMatch(location, bytes, asked),
        'swap stale': () => store.writeIfMatch(location, bytes, asked),
        read: () =>
          store.read(location).catch((error) => (isNotFound(error) ? codeOf(error) : Promise.reject(error))),
        delete: () => store.delete([location]),
      };
      const result = await perform[action]!().catch((error) => error);
      const after = await content();
      const conditional = ['create', 'swap', 'swap stale'].includes(action);
      if (result instanceof Failure) {
        expect(['refresh', 'backoff']).toContain(result.retry);
        if (!conditional) expect(result.code).not.toBe('object_store.unknown');
        else if (result.code === 'object_store.unknown') expect([before, bytes]).toContainEqual(after);
        else expect(after).toEqual(before);
      } else if (conditional) {
        const allowed = action === 'create' ? etagBefore === undefined : etagBefore === asked;
        expect(result).toBe(allowed);
        expect(after).toEqual(allowed ? bytes : before);
      } else if (action === 'write') expect(after).toEqual(bytes);
      else if (action === 'read') expect(result).toEqual(before);
      else expect(after).toBe('object_store.not_found');
    }

    test('lets writers who look after an unknown each do their work once, whatever lands late', async () => {
      const ids = ['w1', 'w2', 'w3', 'w4'];
      const writers = ids.map((id) => ({ id, through: open(proxy.endpoint, { attempts: 3 }) }));
      await fc.assert(
        fc.asyncProperty(fc.array(anyFault, { minLength: 20, maxLength: 60 }), async (faults) => {
          const location = at(`log of run ${++runNumber}`);
          await plain.write(location, text('start'));
          const left = [...faults];
          proxy.choose = async () => {
            const fault = left.shift();
            if (left.length % 5 === 0) await proxy.landLate();
            return fault;
          };
          await Promise.all(writers.map(({ id, through }) => append(through, location, id)));
          await proxy.landLate();
          const log = (await read(plain, location)).split(' ');
          expect(log.slice(1).sort()).toEqual(ids);
        }),
        { numRuns: runs },
      );
    });

    /** Until it reads its own entry, as a catalog does with the id of a commit. */
    async function append(through: ObjectStore, location: string, id: string): Promise<void> {
      for (;;) {
        const etag = (await through.head(location).catch(() => undefined))?.etag;
        const log = await read(through, location).catch(() => undefined);
        if (etag === undefined || log === undefined) continue;
        if (log.split(' ').includes(id)) return;
        await through.writeIfMatch(location, text(`${log} ${id}`), etag).catch((error) => {
          if (!(error instanceof Failure) || error.retry === 'never') throw error;
        });
      }
    }
  });
}

const isNotFound = (error: unknown): boolean => codeOf(error) === 'object_store.not_found';
