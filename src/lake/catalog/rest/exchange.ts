/** One request, one whole answer of bounded size and time. Nothing is followed and nothing is sent again. */

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpRequest {
  method: 'GET' | 'POST' | 'DELETE';
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
}

export interface HttpAnswer {
  status: number;
  etag: string | undefined;
  body: string;
}

export interface ExchangeOptions {
  fetch: Fetch;
  /** For a whole exchange. */
  timeout_ms: number;
}

/** Metadata of a table with a million snapshots; V8 takes no string of more than 512 MB. */
const ANSWER_BYTES_MAX = 256 << 20;

export async function exchange(
  { fetch, timeout_ms }: ExchangeOptions,
  { method, url, headers, body }: HttpRequest,
): Promise<HttpAnswer> {
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body }),
    // Followed, a POST would become a GET.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout_ms),
  });
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? undefined,
    body: await readAll(response),
  };
}

async function readAll({ body }: Response): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
