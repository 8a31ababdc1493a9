import { type ShardFilterShape, TOKEN_LIFE_MS } from '../kinesis/kinesis.ts';
import { ServiceError } from './service-error.ts';

/** Where a listing goes on. It carries all there is to know, as shard iterators do. */
export interface ListToken {
  list: 'streams' | 'shards' | 'consumers';
  /** Name of the last stream or consumer, or the id of the last shard. */
  after: string;
  stream?: { name: string; createdAt_ms: number };
  filter?: ShardFilterShape;
}

export function issueListToken(token: ListToken, now_ms: number): string {
  return Buffer.from(JSON.stringify({ ...token, issuedAt_ms: now_ms }), 'utf8').toString('base64');
}

export function readListToken(text: string, list: ListToken['list'], now_ms: number): ListToken {
  const token = parse(text);
  if (token?.list !== list || typeof token.after !== 'string' || typeof token.issuedAt_ms !== 'number')
    throw new ServiceError('InvalidArgumentException', 'Invalid NextToken.');
  if (now_ms - token.issuedAt_ms > TOKEN_LIFE_MS)
    throw new ServiceError('ExpiredNextTokenException', 'The pagination token has expired.');
  return token;
}

function parse(text: string): (ListToken & { issuedAt_ms: number }) | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64').toString('utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}
