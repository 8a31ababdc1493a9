/** Over real sockets: what only the network can do to an answer. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeRest, fakeRest } from '../../../../tests/support/fake-rest.ts';
import { type FakeRestServer, serveFakeRest } from '../../../../tests/support/fake-rest-server.ts';
import { signatureProblem } from '../../../../tests/support/fake-rest-sigv4.ts';
import { movedClock, SMALL, seeded } from '../../../../tests/support/small-lake.ts';
import { openRestCatalog, type RestCatalogOptions } from './rest.ts';

const NOTHING = { requirements: [], updates: [] };
const secretAccessKey = 'secret';

let fake: FakeRest;
let server: FakeRestServer;
let problems: (string | undefined)[];
beforeEach(async () => {
  problems = [];
  fake = fakeRest({
    guard: (request) => {
      const problem = signatureProblem(request, { secretAccessKey });
      problems.push(problem);
      return problem === undefined ? undefined : 403;
    },
  });
  server = await serveFakeRest(fake);
});
afterEach(() => server.close());

const open = (options: Partial<RestCatalogOptions> = {}) =>
  openRestCatalog({
    uri: server.uri,
    auth: {
      ...{ kind: 'sigv4', region: 'r', service: 'glue' },
      credentials: { accessKeyId: 'A', secretAccessKey },
    },
    ...{ clock: movedClock(Date.UTC(2026, 0, 1)), random: seeded(1), readAttempts: 2 },
    ...options,
  });

describe('over a real connection', () => {
  test('a signed catalog makes, loads and lists tables', async () => {
    const catalog = await open({ warehouse: 'a warehouse' });
    const table = await catalog.createTable('raw.äöü', { ...SMALL, properties: { note: '日本' } });
    expect((await catalog.loadTable('raw.äöü'))?.metadata).toEqual((table as { metadata: unknown }).metadata);
    expect(await catalog.list()).toEqual(['raw.äöü']);
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  test.each(['cut', 'half'] as const)(
    'a commit whose answer was %s is sent once, and uncertain',
    async (wire) => {
      const catalog = await open();
      await catalog.createTable('raw.events', SMALL);
      const before = fake.requests.length;
      server.wire = () => wire;
      await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject({ code: 'catalog.unknown' });
      expect(fake.requests.length - before).toBe(1);
      // It was made, as the next look shows.
      server.wire = () => 'whole';
      expect((await catalog.loadTable('raw.events'))!.metadataLocation).toMatch(/v1\.metadata\.json$/);
    },
  );

  test.each(['cut', 'half'] as const)('a load whose answer was %s is tried again', async (wire) => {
    const catalog = await open();
    await catalog.createTable('raw.events', SMALL);
    let answers = 0;
    server.wire = () => (answers++ === 0 ? wire : 'whole');
    expect(await catalog.loadTable('raw.events')).toMatchObject({ name: 'raw.events' });
    expect(answers).toBe(2);
  });

  test('a commit that is not answered in time is uncertain', async () => {
    await (await open()).createTable('raw.events', SMALL);
    let silent = false;
    const impatient = await open({
      // Long for everything but the one that is never answered.
      fetch: (url, init) =>
        fetch(
          url,
          silent ? { ...init, signal: AbortSignal.any([init.signal!, AbortSignal.timeout(1)]) } : init,
        ),
    });
    silent = true;
    server.wire = () => 'silent';
    await expect(impatient.update('raw.events', NOTHING)).rejects.toMatchObject({ code: 'catalog.unknown' });
  });

  test('a timeout of ours ends a request', async () => {
    server.wire = () => 'silent';
    await expect(open({ timeout_ms: 20, readAttempts: 1 })).rejects.toMatchObject({
      code: 'catalog.unreachable',
      why: expect.stringContaining('timeout'),
    });
  });

  test('nobody at the address: nothing was sent', async () => {
    const catalog = await open();
    await server.close();
    const expected = { code: 'catalog.unreachable', why: expect.stringContaining('ECONNREFUSED') };
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject(expected);
  });

  test('a redirect is not followed, for it would drop what a commit says', async () => {
    const catalog = await open();
    fake.intercept = () =>
      new Response(null, { status: 302, headers: { location: 'http://elsewhere.test/' } });
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject({ code: 'catalog.moved' });
  });
});
