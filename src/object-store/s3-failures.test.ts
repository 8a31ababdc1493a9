import { describe, expect, test } from 'vitest';
import { perKeyFailure, s3Failure } from './s3-failures.ts';

const answered = (httpStatusCode: number, name: string, message = '') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
const network = (code: string) => Object.assign(new Error(code), { code });
const failureOf = (error: unknown) => s3Failure('cannot read s3://lake/x', error);

describe('an answer of S3', () => {
  test.each([
    [answered(403, 'AccessDenied'), 'access_denied', 'user', 'never'],
    // Answers to HEAD have no body, and so no name.
    [answered(403, 'Unknown'), 'access_denied', 'user', 'never'],
    [answered(403, 'InvalidAccessKeyId'), 'bad_credentials', 'user', 'never'],
    [answered(403, 'SignatureDoesNotMatch'), 'bad_credentials', 'user', 'never'],
    [answered(400, 'ExpiredToken'), 'expired_token', 'user', 'never'],
    [answered(403, 'RequestTimeTooSkewed'), 'clock_skew', 'user', 'backoff'],
    [answered(404, 'NoSuchBucket'), 'no_bucket', 'user', 'never'],
    [answered(301, 'PermanentRedirect'), 'wrong_region', 'user', 'never'],
    [answered(400, 'AuthorizationHeaderMalformed'), 'wrong_region', 'user', 'never'],
    [answered(501, 'NotImplemented'), 'unsupported', 'user', 'never'],
    [answered(403, 'QuotaExceeded'), 'full', 'user', 'backoff'],
    [answered(400, 'EntityTooLarge'), 'failed', 'service', 'never'],
  ])('that refuses (%s) can be acted upon, and nothing was done', (error, code, fault, retry) => {
    const failure = failureOf(error);
    expect(failure).toMatchObject({ code: `object_store.${code}`, fault, retry, outcome: 'refused' });
    expect(failure.message).toMatch(/^cannot read s3:\/\/lake\/x: /);
    if (code !== 'failed') expect(failure.hint).toBeTruthy();
  });

  test.each([
    [answered(503, 'SlowDown'), 'slow_down'],
    [answered(503, 'ServiceUnavailable'), 'unavailable'],
    [answered(500, 'InternalError'), 'unavailable'],
    [answered(502, 'Unknown'), 'unavailable'],
    [answered(504, 'Unknown'), 'unavailable'],
    [answered(520, 'Unknown'), 'unavailable'],
    [answered(400, 'RequestTimeout'), 'unavailable'],
    [answered(408, 'Unknown'), 'unavailable'],
    // Completing an upload answers 200 at once, and the error in the body when it comes.
    [answered(200, 'InternalError'), 'unavailable'],
    [network('ECONNRESET'), 'unavailable'],
    [network('EPIPE'), 'unavailable'],
    [network('ETIMEDOUT'), 'unavailable'],
    [Object.assign(new Error('silent'), { name: 'TimeoutError' }), 'unavailable'],
  ])('that leaves it open (%s) may be tried again, and nobody knows whether it was done', (error, code) => {
    expect(failureOf(error)).toMatchObject({
      ...{ code: `object_store.${code}`, fault: 'service', retry: 'backoff', outcome: 'uncertain' },
    });
  });

  test.each([
    [network('ECONNREFUSED'), 'unreachable'],
    [network('ENOTFOUND'), 'unreachable'],
    [network('DEPTH_ZERO_SELF_SIGNED_CERT'), 'untrusted'],
    [Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'no_credentials'],
    [new Error('Region is missing'), 'no_region'],
  ])('that never came because nothing was sent (%s) is no unknown outcome', (error, code) => {
    expect(failureOf(error)).toMatchObject({ code: `object_store.${code}`, outcome: 'refused' });
  });

  test('that is a mistake of the program is not tried again', () => {
    expect(failureOf(new TypeError('x is undefined'))).toMatchObject({ fault: 'ourselves', retry: 'never' });
  });
});

test('a status without the rest of its answer says that nothing was done, but not why: it may be tried again', () => {
  const error = Object.assign(network('ECONNRESET'), { $metadata: { httpStatusCode: 404 } });
  expect(failureOf(error)).toMatchObject({ outcome: 'refused', retry: 'backoff' });
});

test('the reason of one key is judged as if it had been the answer', () => {
  const failureOfKey = (code: string) => perKeyFailure('cannot delete it', { code, message: 'no' });
  expect(failureOfKey('AccessDenied')).toMatchObject({ code: 'object_store.access_denied', retry: 'never' });
  expect(failureOfKey('SlowDown')).toMatchObject({ code: 'object_store.slow_down', retry: 'backoff' });
  expect(failureOfKey('InternalError')).toMatchObject({ code: 'object_store.unavailable', retry: 'backoff' });
  expect(failureOfKey('ObjectLocked')).toMatchObject({ code: 'object_store.failed', retry: 'never' });
});
