/** AWS Signature Version 4 checked from the specification, with nothing of the library that makes it. */
import { createHash, createHmac } from 'node:crypto';
import type { SeenRequest } from './fake-rest.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const encoded = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** What is wrong with the signature; undefined when nothing is. */
export function signatureProblem(
  { method, url, headers, body }: SeenRequest,
  { secretAccessKey }: { secretAccessKey: string },
): string | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/.exec(
      headers['authorization'] ?? '',
    );
  if (match === null) return `no signature: ${headers['authorization']}`;
  const [, , date = '', region = '', service = '', names = '', signature] = match;
  const all: Record<string, string> = { host: url.host, ...headers };
  const signed = names.split(';');
  for (const name of ['host', 'x-amz-date'])
    if (!signed.includes(name)) return `${name} is not part of the signature`;
  if (headers['x-amz-content-sha256'] !== undefined && headers['x-amz-content-sha256'] !== sha256(body))
    return 'the body is another one';
  const query = [...url.searchParams].map(([key, value]) => `${encoded(key)}=${encoded(value)}`).sort();
  const canonical = [
    method,
    url.pathname.split('/').map(encoded).join('/'),
    query.join('&'),
    ...signed.map((name) => `${name}:${(all[name] ?? '').trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secretAccessKey}`, date));
  return hmac(key, toSign).toString('hex') === signature ? undefined : `another signature over\n${canonical}`;
}
