/** `sc://host:port/;token=…;use_ssl=true;name=value`: where a Spark Connect server is, as its other clients write it. */
import { Failure } from '../../../base/base.ts';

export interface SparkAddress {
  /** `http://…` or `https://…`, for the transport. */
  origin: string;
  token: string | undefined;
  userId: string | undefined;
  sessionId: string | undefined;
  /** What the server's own lists call the client, before our name. */
  userAgent: string | undefined;
  /** Every further parameter goes along with each request (Databricks: `x-databricks-cluster-id`). */
  headers: Readonly<Record<string, string>>;
}

const PORT = '15002';
const PARAMETERS = new Set(['token', 'use_ssl', 'user_id', 'session_id', 'user_agent']);

/** A token goes over TLS, except on this very machine or where the address says otherwise. */
export function parseSparkUrl(text: string): SparkAddress {
  const parts = /^sc:\/\/([^/;]+)(?:\/(;.*)?)?$/.exec(text);
  if (parts === null) throw badUrl('it does not begin with sc://host');
  const [, authority = '', parameters = ''] = parts;
  const { host, port } = hostAndPort(authority);
  const given = new Map(
    parameters
      .split(';')
      .filter((each) => each !== '')
      .map(parameter),
  );
  const token = given.get('token');
  const useSsl = given.get('use_ssl');
  if (useSsl !== undefined && useSsl !== 'true' && useSsl !== 'false')
    throw badUrl('use_ssl is true or false');
  const secure = useSsl === undefined ? token !== undefined && !isLoopback(host) : useSsl === 'true';
  const headers = Object.fromEntries([...given].filter(([name]) => !PARAMETERS.has(name)));
  return {
    origin: `${secure ? 'https' : 'http'}://${host}:${port}`,
    token,
    userId: given.get('user_id'),
    sessionId: given.get('session_id'),
    userAgent: given.get('user_agent'),
    headers,
  };
}

/** The address without its secrets, for logs and errors. */
export function withoutSecrets(text: string): string {
  return text.replace(/;.*$/, '');
}

function hostAndPort(authority: string): { host: string; port: string } {
  const parts = /^(\[[0-9a-fA-F:.]+\]|[^:[\]@\s]+)(?::(\d{1,5}))?$/.exec(authority);
  if (parts === null) throw badUrl(`${authority} is no host and port`);
  return { host: parts[1]!, port: parts[2] ?? PORT };
}

function parameter(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) throw badUrl('a parameter is name=value');
  try {
    return [text.slice(0, at), decodeURIComponent(text.slice(at + 1))];
  } catch {
    throw badUrl(`the value of ${text.slice(0, at)} is not percent-encoded text`);
  }
}

const isLoopback = (host: string) => /^(127\.[\d.]+|localhost|\[::1\])$/.test(host);

/** The text itself may hold a token and is not shown. */
function badUrl(why: string): Failure {
  return new Failure('spark.url is no address of a Spark Connect server', {
    code: 'spark.bad_url',
    fault: 'user',
    why,
    hint: 'write sc://HOST:PORT/;token=TOKEN;use_ssl=true',
    docs: 'docs/how-to/spark.md',
  });
}
