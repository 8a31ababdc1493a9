import { describe, expect, test } from 'vitest';
import {
  answerOf,
  type FakeRestOptions,
  fakeRest,
  networkError,
  type SeenRequest,
} from '../../../../tests/support/fake-rest.ts';
import { signatureProblem } from '../../../../tests/support/fake-rest-sigv4.ts';
import { movedClock, SMALL, seeded } from '../../../../tests/support/small-lake.ts';
import { openRestCatalog, type RestAuth } from './rest.ts';

const NOTHING = { requirements: [], updates: [] };

function open(auth: RestAuth, service: FakeRestOptions = {}, warehouse = 'w') {
  const clock = movedClock(Date.UTC(2026, 0, 1));
  const fake = fakeRest(service);
  const { uri, fetch } = fake;
  return { fake, clock, opening: openRestCatalog({ uri, fetch, auth, warehouse, clock, random: seeded(1) }) };
}

describe('a bearer token', () => {
  const guard = ({ headers }: SeenRequest) => (headers['authorization'] === 'Bearer right' ? undefined : 401);

  test('goes with every request', async () => {
    const catalog = await open({ kind: 'bearer', token: 'right' }, { guard }).opening;
    expect(await catalog.createTable('raw.events', SMALL)).toMatchObject({ name: 'raw.events' });
  });

  test('is asked for at every request when it is a function', async () => {
    const tokens = ['right', 'right', 'wrong'];
    const { opening } = open({ kind: 'bearer', token: async () => tokens.shift()! }, { guard });
    const catalog = await opening;
    expect(await catalog.list()).toEqual([]);
    await expect(catalog.list()).rejects.toMatchObject({ code: 'catalog.unauthorized', fault: 'user' });
  });

  test('that is not accepted, or cannot be had, is the user’s to mend', async () => {
    await expect(open({ kind: 'bearer', token: 'wrong' }, { guard }).opening).rejects.toMatchObject({
      code: 'catalog.unauthorized',
      fault: 'user',
      hint: expect.stringContaining('token'),
    });
    const none = async () => Promise.reject(new Error('no such file'));
    await expect(open({ kind: 'bearer', token: none }).opening).rejects.toMatchObject({
      code: 'catalog.no_credentials',
      why: 'no such file',
    });
  });
});

describe('OAuth2 client credentials', () => {
  const client = { kind: 'oauth2', clientId: 'me', clientSecret: 's&cret' } as const;

  /** Gives out `token 1`, `token 2` …, and lets in who has one of `valid`. */
  function tokens({ life_s = 3_600, path = '/v1/oauth/tokens' }: { life_s?: number; path?: string } = {}) {
    const state = { given: 0, valid: new Set<string>(), forms: [] as URLSearchParams[], down: 0 };
    const guard = ({ headers }: SeenRequest) =>
      state.valid.has(headers['authorization'] ?? '') ? undefined : 401;
    const intercept = ({ url, body }: SeenRequest) => {
      if (url.pathname !== path) return undefined;
      if (state.down-- > 0) return 503;
      const form = new URLSearchParams(body);
      state.forms.push(form);
      if (form.get('client_secret') !== 's&cret')
        return answerOf(400, { error: 'invalid_client', error_description: 'who are you?' });
      const token = `token ${++state.given}`;
      state.valid.add(`Bearer ${token}`);
      return answerOf(200, { access_token: token, token_type: 'bearer', expires_in: life_s });
    };
    return { state, start: (auth: RestAuth = client) => open(auth, { guard, intercept }) };
  }

  test('fetch one token at the catalog, and use it for everything', async () => {
    const { state, start } = tokens();
    const catalog = await start().opening;
    await catalog.createTable('raw.events', SMALL);
    expect(state.forms.map((form) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials', client_id: 'me', client_secret: 's&cret', scope: 'catalog' },
    ]);
  });

  test('fetch it elsewhere, with further fields, when told so', async () => {
    const { state, start } = tokens({ path: '/realm/token' });
    const serverUri = 'http://login.test/realm/token';
    await start({ ...client, serverUri, scope: 'all', parameters: { audience: 'a' } }).opening;
    expect(Object.fromEntries(state.forms[0]!)).toMatchObject({ scope: 'all', audience: 'a' });
  });

  test.each([
    [3_600, 3_600 - 61, 3_600 - 59],
    [40, 19, 21],
  ])('fetch a new one before one of %i s expires', async (life_s, still_s, late_s) => {
    const { state, start } = tokens({ life_s });
    const { clock, opening } = start();
    const catalog = await opening;
    const began_ms = clock.now_ms;
    clock.now_ms = began_ms + still_s * 1_000;
    await catalog.list();
    expect(state.given).toBe(1);
    clock.now_ms = began_ms + late_s * 1_000;
    await catalog.list();
    expect(state.given).toBe(2);
  });

  test.each([1, 5])('fetch one new token when %i reads at once find the old one refused', async (reads) => {
    const { state, start } = tokens();
    const catalog = await start().opening;
    state.valid.clear();
    await Promise.all(Array.from({ length: reads }, () => catalog.list()));
    expect(state.given).toBe(2);
  });

  test('do not give up a new token for a late refusal of the old one', async () => {
    const { state, start } = tokens();
    const { fake, opening } = start();
    const catalog = await opening;
    state.valid.clear();
    let refuseLate = Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { handle } = fake;
    fake.handle = async (request) => {
      const answer = await handle(request);
      if (request.url.pathname.endsWith('/namespaces')) await refuseLate;
      return answer;
    };
    refuseLate = promise;
    const late = catalog.list();
    await new Promise(setImmediate);
    refuseLate = Promise.resolve();
    await catalog.list();
    resolve();
    await late;
    expect(state.given).toBe(2);
  });

  test('do not send a commit again whose token was refused, but have a new one for the next', async () => {
    const { state, start } = tokens();
    const { fake, opening } = start();
    const catalog = await opening;
    await catalog.createTable('raw.events', SMALL);
    state.valid.clear();
    const commits = () =>
      fake.requests.filter(({ url, method }) => method === 'POST' && url.pathname.endsWith('/tables/events'));
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject({
      code: 'catalog.token_expired',
      retry: 'backoff',
    });
    expect(commits()).toHaveLength(1);
    expect(await catalog.update('raw.events', NOTHING)).toMatchObject({ name: 'raw.events' });
    expect(state.given).toBe(2);
  });

  test('give up when a new token is refused too', async () => {
    const { state, start } = tokens();
    const { fake, opening } = start();
    const catalog = await opening;
    const { intercept } = fake;
    fake.intercept = (request) => intercept?.(request) ?? 401;
    const before = fake.requests.length;
    await expect(catalog.list()).rejects.toMatchObject({ code: 'catalog.unauthorized', retry: 'never' });
    expect(state.given).toBe(2);
    expect(fake.requests.length - before).toBe(3);
  });

  test('that are wrong are the user’s to mend, and no secret is told', async () => {
    const failure = await tokens()
      .start({ ...client, clientSecret: 'wrong secret' })
      .opening.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: expect.stringContaining('get a token'),
      code: 'catalog.unauthorized',
      fault: 'user',
      why: '400 invalid_client: who are you?',
    });
    expect(JSON.stringify(failure)).not.toContain('wrong secret');
  });

  test('are asked for again while their service is not well', async () => {
    const { state, start } = tokens();
    state.down = 2;
    await start().opening;
    expect(state.given).toBe(1);
  });

  test('that cannot be had leave no doubt about a commit: it was not sent', async () => {
    const { state, start } = tokens({ life_s: 100 });
    const { fake, clock, opening } = start();
    const catalog = await opening;
    clock.now_ms += 100_000;
    state.valid.clear();
    fake.intercept = () => networkError('ECONNRESET');
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject({
      code: 'catalog.unreachable',
      retry: 'backoff',
    });
  });
});

describe('SigV4', () => {
  const secretAccessKey = 'secret/key';
  const signer = { kind: 'sigv4', region: 'eu-west-1', service: 's3tables' } as const;
  const credentials = { accessKeyId: 'AKID', secretAccessKey, sessionToken: 'session' };
  const guarded = () => {
    const problems: string[] = [];
    const guard = (request: SeenRequest) => {
      const problem = signatureProblem(request, { secretAccessKey });
      if (problem !== undefined) problems.push(problem);
      return problem === undefined ? undefined : 403;
    };
    return { problems, guard };
  };
  const arn = 'arn:aws:s3tables:eu-west-1:111122223333:bucket/my lake';

  test('signs address, query and body as the service has them', async () => {
    const { problems, guard } = guarded();
    const prefix = encodeURIComponent(arn);
    const { fake, opening } = open({ ...signer, credentials }, { guard, prefix }, arn);
    const catalog = await opening;
    await catalog.createTable('a.b.events', SMALL);
    await catalog.update('a.b.events', NOTHING);
    await catalog.list();
    expect(problems).toEqual([]);
    expect(fake.requests.at(-1)!.headers).toMatchObject({
      authorization: expect.stringContaining('Credential=AKID/20260101/eu-west-1/s3tables/aws4_request'),
      'x-amz-security-token': 'session',
    });
  });

  test('with the wrong secret is refused', async () => {
    const { guard } = guarded();
    const wrong = { ...credentials, secretAccessKey: 'another' };
    await expect(open({ ...signer, credentials: wrong }, { guard }).opening).rejects.toMatchObject({
      code: 'catalog.forbidden',
    });
  });

  test('asks for credentials at each request, and says when there are none', async () => {
    let asked = 0;
    const provider = async () => {
      if (++asked > 2) throw new Error('the session ended');
      return credentials;
    };
    const catalog = await open({ ...signer, credentials: provider }).opening;
    await catalog.list();
    await expect(catalog.update('raw.events', NOTHING)).rejects.toMatchObject({
      ...{ code: 'catalog.no_credentials', fault: 'user', why: 'the session ended' },
      // They were there before: whoever logs in again needs no restart.
      retry: 'backoff',
    });
    const none = async () => Promise.reject(new Error('no profile'));
    await expect(open({ ...signer, credentials: none }).opening).rejects.toMatchObject({ retry: 'never' });
  });
});
