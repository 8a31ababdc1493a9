import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type RestCatalog, restCatalog } from '../../../tests/support/rest-catalog.ts';
import { guardOf } from './guard.ts';

const verdict = (
  options: { host: string; token?: string },
  headers: Record<string, string>,
): number | undefined => guardOf({ token: undefined, ...options })((name) => headers[name])?.status;

describe('on loopback', () => {
  const host = '127.0.0.1';

  test.each(['127.0.0.1:8181', 'localhost:8181', 'LOCALHOST', '127.9.9.9', '[::1]:8181', 'a.localhost:1'])(
    'a request to %s is let in',
    (name) => expect(verdict({ host }, { host: name })).toBeUndefined(),
  );

  test.each([
    'evil.example:8181',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '192.168.0.1:8181',
    '1270.0.1',
    '[::2]',
    '',
  ])('a request to "%s" is not: a page may have made its own name mean this machine', (name) => {
    expect(verdict({ host }, { host: name })).toBe(403);
  });

  test('a request without a Host is not', () => {
    expect(verdict({ host }, {})).toBe(403);
  });

  test.each([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('a request that a web page made is not: %j', (headers) => {
    expect(verdict({ host }, { host: 'localhost', ...headers })).toBe(403);
  });

  test('the name that it was told to listen on is its own', () => {
    expect(verdict({ host: 'lake.localhost' }, { host: 'lake.localhost:80' })).toBeUndefined();
    expect(verdict({ host: '::1' }, { host: '[::1]:80' })).toBeUndefined();
  });
});

describe('a token', () => {
  const headers = { host: 'lake.example', authorization: 'Bearer secret' };

  test('is needed where others can reach the server', () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.7', 'lake.example'])
      expect(() => guardOf({ host, token: undefined })).toThrow(
        expect.objectContaining({ code: 'catalog_server.token_needed', fault: 'user' }),
      );
  });

  test('lets in whoever has it, by whatever name', () => {
    const here = { host: '0.0.0.0', token: 'secret' };
    expect(verdict(here, headers)).toBeUndefined();
    expect(verdict(here, { ...headers, authorization: 'bearer secret' })).toBeUndefined();
    for (const authorization of ['', 'Bearer', 'Bearer secret2', 'Bearer Secret', 'Basic secret', 'secret'])
      expect(verdict(here, { ...headers, authorization })).toBe(401);
    expect(verdict(here, { ...headers, origin: 'https://evil.example' })).toBe(403);
  });

  test('is asked for on loopback too, when there is one', () => {
    expect(verdict({ host: 'localhost', token: 'secret' }, { host: 'localhost' })).toBe(401);
  });
});

describe('the server', () => {
  let rest: RestCatalog | undefined;
  afterEach(() => rest?.close());

  /** What `fetch` does not let a program say. */
  const statusWith = (headers: Record<string, string>, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const asked = httpRequest(`${rest!.uri}/v1/config`, { method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on('error', reject);
      asked.end();
    });

  test('refuses before it looks at anything else', async () => {
    rest = await restCatalog({ token: 'secret' });
    expect(await statusWith({ host: 'evil.example' })).toBe(403);
    expect(await statusWith({ origin: 'https://evil.example' }, 'OPTIONS')).toBe(403);
    expect(await statusWith({})).toBe(401);
    expect(await statusWith({ authorization: 'Bearer secret' })).toBe(200);
    expect((await rest.ask('GET', '/v1/nothing')).body.error).toEqual({
      code: 401,
      type: 'NotAuthorizedException',
      message: expect.any(String),
    });
  });
});
