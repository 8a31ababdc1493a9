/** Every class of answer, of what may be repeated and of what commits. */
import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, type FakeRest, fakeRest, networkError } from '../../../../tests/support/fake-rest.ts';
import { movedClock, SMALL, seeded } from '../../../../tests/support/small-lake.ts';
import type { ServiceCatalog } from '../../lake.ts';
import { openRestCatalog } from './rest.ts';

const READ_ATTEMPTS = 4;
const NOTHING = { requirements: [], updates: [] };

let fake: FakeRest;
let catalog: ServiceCatalog;
/** Requests since the interception began. */
let sent: number;

beforeEach(async () => {
  fake = fakeRest();
  const { uri, fetch } = fake;
  catalog = await openRestCatalog({
    ...{ uri, fetch, auth: { kind: 'none' }, clock: movedClock(0), random: seeded(1) },
    readAttempts: READ_ATTEMPTS,
  });
  await catalog.createTable('raw.events', SMALL);
});

/** Every answer from now on, or the first `times` of them. */
function answer(with_: Response | number | Error, times = Number.POSITIVE_INFINITY): void {
  sent = 0;
  fake.intercept = () => (sent++ < times ? with_ : undefined);
}

/** The namespace is there, so that the first request of a creation that is intercepted is the creation itself. */
function answerCreation(with_: Response | number | Error): void {
  sent = 0;
  fake.intercept = ({ method, url }) =>
    method === 'POST' && url.pathname.endsWith('/tables') && ++sent > 0 ? with_ : undefined;
}

const DEFINITE: [number, { code: string; fault: string; retry: string }][] = [
  [302, { code: 'catalog.moved', fault: 'user', retry: 'never' }],
  [400, { code: 'catalog.bad_request', fault: 'ourselves', retry: 'never' }],
  [401, { code: 'catalog.unauthorized', fault: 'user', retry: 'never' }],
  [403, { code: 'catalog.forbidden', fault: 'user', retry: 'never' }],
  [404, { code: 'catalog.not_found', fault: 'user', retry: 'never' }],
  [406, { code: 'catalog.unsupported', fault: 'user', retry: 'never' }],
  [413, { code: 'catalog.too_large', fault: 'user', retry: 'never' }],
  [419, { code: 'catalog.unauthorized', fault: 'user', retry: 'never' }],
  [422, { code: 'catalog.refused', fault: 'service', retry: 'never' }],
  [429, { code: 'catalog.busy', fault: 'service', retry: 'backoff' }],
];
const UNCERTAIN: (number | Error)[] = [
  ...[408, 500, 501, 502, 503, 504, 599],
  ...['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].map(
    networkError,
  ),
  new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
  new Error('something else'),
];
const NEVER_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'CERT_HAS_EXPIRED'];

describe('a commit', () => {
  test.each(DEFINITE)('that is answered with %i was not made: $code', async (status, expected) => {
    answer(status);
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject(expected);
    expect(sent).toBe(1);
  });

  test.each(UNCERTAIN)('that is answered with %s may have been made, and is sent once', async (with_) => {
    answer(with_);
    const expected = { code: 'catalog.unknown', fault: 'service', retry: 'refresh' };
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject(expected);
    expect(sent).toBe(1);
  });

  test.each(NEVER_SENT)('that never left (%s) was not made', async (code) => {
    answer(networkError(code));
    const expected = { code: 'catalog.unreachable', retry: 'backoff' };
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject(expected);
    expect(sent).toBe(1);
  });

  test('that is answered with 409 conflicts', async () => {
    answer(409);
    expect(await catalog.update('raw.events', NOTHING)).toBe('conflict');
  });
});

describe('a creation', () => {
  test.each(DEFINITE)('that is answered with %i was not made: $code', async (status, expected) => {
    answerCreation(status);
    await expect(catalog.createTable('raw.more', SMALL)).rejects.toMatchObject(expected);
    expect(sent).toBe(1);
  });

  test.each(UNCERTAIN)('that is answered with %s may have been made, and is sent once', async (with_) => {
    answerCreation(with_);
    await expect(catalog.createTable('raw.more', SMALL)).rejects.toMatchObject({ code: 'catalog.unknown' });
    expect(sent).toBe(1);
  });
});

describe('a load', () => {
  test.each(DEFINITE.filter(([status]) => status !== 404 && status !== 429))(
    'that is answered with %i is not tried again: $code',
    async (status, expected) => {
      answer(status);
      await expect(catalog.loadTable('raw.events')).rejects.toMatchObject(expected);
      expect(sent).toBe(1);
    },
  );

  const passing = [429, ...UNCERTAIN.filter((with_) => with_ !== 408), ...NEVER_SENT.map(networkError)];
  test.each(passing)(
    'that is answered with %s is tried again, and a bounded number of times',
    async (with_) => {
      answer(with_, READ_ATTEMPTS - 1);
      expect(await catalog.loadTable('raw.events')).toMatchObject({ name: 'raw.events' });
      answer(with_);
      await expect(catalog.loadTable('raw.events')).rejects.toMatchObject({ retry: 'backoff' });
      expect(sent).toBe(READ_ATTEMPTS);
    },
  );

  test('that is answered with 404 finds no table', async () => {
    answer(404);
    expect(await catalog.loadTable('raw.events')).toBeUndefined();
  });
});

test('a namespace that another one made meanwhile is as good', async () => {
  fake.intercept = ({ method, url }) =>
    method === 'GET' && url.pathname.endsWith('/namespaces/raw') ? 404 : undefined;
  expect(await catalog.createTable('raw.more', SMALL)).toMatchObject({ name: 'raw.more' });
});

test('an answer that is no JSON is told as what it is', async () => {
  answer(new Response('<html>a login page</html>'));
  await expect(catalog.loadTable('raw.events')).rejects.toMatchObject({
    code: 'catalog.bad_answer',
    why: expect.stringContaining('a login page'),
  });
  answer(answerOf(200, { metadata: {} }));
  await expect(catalog.loadTable('raw.events')).rejects.toMatchObject({ code: 'catalog.bad_answer' });
});
