import { describe, expect, it } from 'vitest';
import { parseSparkUrl, withoutSecrets } from './url.ts';

describe('the address of a Spark Connect server', () => {
  it('is host and port, 15002 when it says none, without TLS', () => {
    expect(parseSparkUrl('sc://spark.example:15003').origin).toBe('http://spark.example:15003');
    expect(parseSparkUrl('sc://127.0.0.1').origin).toBe('http://127.0.0.1:15002');
    expect(parseSparkUrl('sc://[::1]:1/').origin).toBe('http://[::1]:1');
  });

  it('sends a token over TLS unless the server is this machine or the address says otherwise', () => {
    expect(parseSparkUrl('sc://h/;token=t')).toMatchObject({ origin: 'https://h:15002', token: 't' });
    expect(parseSparkUrl('sc://127.0.0.1/;token=t').origin).toBe('http://127.0.0.1:15002');
    expect(parseSparkUrl('sc://h/;token=t;use_ssl=false').origin).toBe('http://h:15002');
    expect(parseSparkUrl('sc://h:443/;use_ssl=true').origin).toBe('https://h:443');
  });

  it('hands every further parameter on as a header', () => {
    const address = parseSparkUrl(
      'sc://h:443/;use_ssl=true;token=a%3Bb;user_id=me;x-databricks-cluster-id=01-2',
    );
    expect(address).toMatchObject({ token: 'a;b', userId: 'me' });
    expect(address.headers).toEqual({ 'x-databricks-cluster-id': '01-2' });
  });

  it.each([
    'http://h',
    'sc://',
    'sc://h:port',
    'sc://h/path',
    'sc://h/;token',
    'sc://h/;use_ssl=yes',
    'sc://h/;a=%',
  ])('is not %s', (text) => {
    expect(() => parseSparkUrl(text)).toThrow(expect.objectContaining({ code: 'spark.bad_url' }));
  });

  it('can be shown without what is secret in it', () => {
    expect(withoutSecrets('sc://h:1/;use_ssl=true;token=secret')).toBe('sc://h:1/');
  });
});
