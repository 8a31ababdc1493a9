/** A list in pages. The token is the last name of the page before: names that come or go meanwhile move nothing. */
import { badRequest } from './rest-error.ts';

export interface Page {
  names: string[];
  'next-page-token': string | null;
}

/** Of names in order. Without a page size all that is left is one page. */
export function pageOf(names: readonly string[], query: URLSearchParams): Page {
  const size = sizeOf(query.get('pageSize'));
  const token = query.get('pageToken') ?? '';
  const after = token === '' ? undefined : Buffer.from(token, 'base64url').toString('utf8');
  const left = after === undefined ? names : names.filter((name) => name > after);
  const page = left.slice(0, size);
  const last = page.at(-1);
  const more = page.length < left.length && last !== undefined;
  return { names: page, 'next-page-token': more ? Buffer.from(last).toString('base64url') : null };
}

function sizeOf(text: string | null): number {
  if (text === null) return Number.POSITIVE_INFINITY;
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) throw badRequest(`pageSize is a number from 1 on: ${text}`);
  return size;
}
