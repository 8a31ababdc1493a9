/** The address of a stream, and whether it is Amazon's: there reads have limits, and CBOR is spoken. */
import { Failure } from '../base/base.ts';
import type { BodyEncoding } from './split.ts';
import type { StreamOptions } from './stream.ts';

/** Of the partitions: the world, China, the European sovereign cloud; then their endpoints that speak IPv6 too. */
const SUFFIXES = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'api.aws',
  'api.amazonwebservices.com.cn',
  'api.amazonwebservices.eu',
];

export function endpointOf({ endpoint, region }: Pick<StreamOptions, 'endpoint' | 'region'>): URL {
  const text = endpoint ?? `https://kinesis.${region}.${suffixOf(region)}`;
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new Failure(`the stream's endpoint is no address: ${text}`, {
    code: 'stream.bad_endpoint',
    fault: 'user',
    hint: 'it looks like http://127.0.0.1:4567 or https://kinesis.eu-west-1.amazonaws.com',
  });
}

export function isAmazon(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  const host = URL.parse(endpoint)?.hostname ?? '';
  return SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`));
}

/** How records are asked for where nobody says it; undefined: as the server says that it can. */
export function encodingOf({
  endpoint,
  encoding,
}: Pick<StreamOptions, 'endpoint' | 'encoding'>): BodyEncoding | undefined {
  return encoding ?? (isAmazon(endpoint) ? 'cbor' : undefined);
}

function suffixOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com';
}
