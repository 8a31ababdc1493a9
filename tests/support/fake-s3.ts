/**
 * S3 in this process, as far as the store uses it, and strict where S3 is: conditions are judged and carried out in one
 * turn of the event loop, parts below the least size are refused, a body must match the digest that was signed. That it
 * is not kinder than others is shown by the same tests against moto (tests/interop/s3.test.ts).
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeObject {
  bytes: Buffer;
  etag: string;
  modifiedAt_ms: number;
}

export interface FakeS3 {
  readonly endpoint: string;
  /** By bucket, by key. */
  readonly buckets: Map<string, Map<string, FakeObject>>;
  /** Uploads that were neither completed nor aborted. */
  readonly uploads: ReadonlyMap<string, unknown>;
  /** What was asked, as `PUT key` or `POST ?delete`, in order of arrival. */
  readonly requests: string[];
  /** Keys that a DeleteObjects request answers with this error, as long as it stands here. */
  readonly undeletable: Map<string, string>;
  /** Methods that nobody may use, as long as they stand here: without PUT, POST and DELETE the bucket is only read. */
  readonly denied: Set<string>;
  close(): Promise<void>;
}

interface Upload {
  key: string;
  parts: Map<number, { bytes: Buffer; etag: string }>;
}

interface Asked {
  method: string;
  bucket: Map<string, FakeObject>;
  bucketName: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const PART_BYTES_MIN = 5 * 1024 * 1024;

const md5 = (bytes: Uint8Array | string): string => createHash('md5').update(bytes).digest('hex');
const escaped = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
const unescaped = (text: string): string =>
  text
    .replace(/&#(x?)([0-9a-fA-F]+);/g, (_, hex, code) => String.fromCodePoint(parseInt(code, hex ? 16 : 10)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => NAMED[name] ?? '');
const NAMED: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const inTag = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map((match) => unescaped(match[1] ?? ''));
const xml = (body: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
});

function errorAnswer(status: number, code: string, message = code): Answer {
  return {
    ...xml(`<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`),
    status,
  };
}

export async function startFakeS3({
  bucket = 'lake',
  page = 1000,
  now = () => Date.now(),
}: {
  bucket?: string;
  page?: number;
  now?: () => number;
} = {}): Promise<FakeS3> {
  const state = new State({ page, now });
  state.buckets.set(bucket, new Map());
  const server = createServer((request, response) => {
    void answer(state, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { buckets, uploads, requests, undeletable, denied } = state;
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ buckets, uploads, requests, undeletable, denied },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '/', 'http://s3');
  const [, bucketName = '', ...path] = url.pathname.split('/').map(decodeURIComponent);
  const method = request.method ?? '';
  const asked = {
    ...{ method, bucketName, key: path.join('/'), query: url.searchParams, headers: request.headers },
    body: Buffer.concat(chunks),
  };
  const { status, headers, body } = state.answer(asked);
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0));
  response.writeHead(status, { 'content-length': bytes.length, ...headers });
  response.end(method === 'HEAD' ? undefined : bytes);
}

class State {
  readonly buckets = new Map<string, Map<string, FakeObject>>();
  readonly uploads = new Map<string, Upload>();
  readonly requests: string[] = [];
  readonly undeletable = new Map<string, string>();
  readonly denied = new Set<string>();
  readonly #page: number;
  readonly #now: () => number;
  #uploadsBegun = 0;

  constructor({ page, now }: { page: number; now: () => number }) {
    this.#page = page;
    this.#now = now;
  }

  answer(told: Omit<Asked, 'bucket'>): Answer {
    const { method, key, query, headers, body } = told;
    const operation = ['delete', 'uploads', 'uploadId', 'list-type'].find((name) => query.has(name));
    this.requests.push(`${method} ${key}${operation === undefined ? '' : `?${operation}`}`);
    if (this.denied.has(method)) return errorAnswer(403, 'AccessDenied', 'Access Denied');
    const bucket = this.buckets.get(told.bucketName);
    if (!bucket) return errorAnswer(404, 'NoSuchBucket', 'The specified bucket does not exist');
    const digest = headers['x-amz-content-sha256'];
    if (digest !== undefined && digest !== createHash('sha256').update(body).digest('hex'))
      return errorAnswer(400, 'XAmzContentSHA256Mismatch');
    const asked = { ...told, bucket };
    switch (`${method} ${operation ?? ''}`) {
      case 'GET list-type':
        return this.#list(asked);
      case 'GET ':
      case 'HEAD ':
        return this.#get(asked);
      case 'PUT ':
        return this.#put(asked);
      case 'POST delete':
        return this.#delete(asked);
      case 'GET uploads':
        return this.#listUploads();
      case 'POST uploads':
        return this.#beginUpload(asked);
      default:
        return operation === 'uploadId' ? this.#upload(asked) : errorAnswer(501, 'NotImplemented');
    }
  }

  #get({ bucket, key, headers }: Asked): Answer {
    const object = bucket.get(key);
    if (!object) return errorAnswer(404, 'NoSuchKey');
    const described = {
      etag: object.etag,
      'last-modified': new Date(object.modifiedAt_ms).toUTCString(),
    };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    if (from === undefined) return { status: 200, headers: described, body: object.bytes };
    const size = object.bytes.length;
    if (Number(from) >= size) return errorAnswer(416, 'InvalidRange');
    const end = Math.min(Number(to) + 1, size);
    const range = { 'content-range': `bytes ${from}-${end - 1}/${size}` };
    return {
      status: 206,
      headers: { ...described, ...range },
      body: object.bytes.subarray(Number(from), end),
    };
  }

  #put({ bucket, key, headers, body }: Asked): Answer {
    const object = bucket.get(key);
    if (headers['if-none-match'] === '*' && object) return errorAnswer(412, 'PreconditionFailed');
    const expected = headers['if-match'];
    if (expected !== undefined && !object) return errorAnswer(404, 'NoSuchKey');
    if (expected !== undefined && expected !== object?.etag) return errorAnswer(412, 'PreconditionFailed');
    return { status: 200, headers: { etag: this.#store(bucket, key, body) } };
  }

  #store(bucket: Map<string, FakeObject>, key: string, bytes: Buffer, etag = `"${md5(bytes)}"`): string {
    bucket.set(key, { bytes, etag, modifiedAt_ms: this.#now() });
    return etag;
  }

  #list({ bucket, query }: Asked): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...bucket.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const most = Math.min(Number(query.get('max-keys') ?? this.#page), this.#page);
    const page = keys.slice(0, most);
    const truncated = keys.length > most;
    const contents = page.map((key) => {
      const { bytes, etag, modifiedAt_ms } = bucket.get(key)!;
      const time = new Date(modifiedAt_ms).toISOString();
      return `<Contents><Key>${escaped(key)}</Key><LastModified>${time}</LastModified><ETag>${escaped(etag)}</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const next = truncated
      ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>`
      : '';
    return xml(
      `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${contents.join('')}${next}</ListBucketResult>`,
    );
  }

  #delete({ bucket, body, headers }: Asked): Answer {
    const digest = createHash('md5').update(body).digest('base64');
    if (headers['content-md5'] !== digest) return errorAnswer(400, 'InvalidDigest');
    const keys = inTag(body.toString(), 'Key');
    if (keys.length > 1000) return errorAnswer(400, 'MalformedXML');
    const errors = keys.map((key) => {
      const code = this.undeletable.get(key);
      if (code === undefined) bucket.delete(key);
      return code === undefined
        ? ''
        : `<Error><Key>${escaped(key)}</Key><Code>${code}</Code><Message>no</Message></Error>`;
    });
    return xml(`<DeleteResult>${errors.join('')}</DeleteResult>`);
  }

  #listUploads(): Answer {
    const uploads = [...this.uploads.values()].map(
      ({ key }) => `<Upload><Key>${escaped(key)}</Key></Upload>`,
    );
    return xml(`<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`);
  }

  #beginUpload({ key }: Asked): Answer {
    const id = `upload-${++this.#uploadsBegun}`;
    this.uploads.set(id, { key, parts: new Map() });
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }

  #upload(asked: Asked): Answer {
    const { method, query, key, body } = asked;
    const id = query.get('uploadId') ?? '';
    const upload = this.uploads.get(id);
    if (upload?.key !== key) return errorAnswer(404, 'NoSuchUpload');
    if (method === 'PUT') {
      const etag = `"${md5(body)}"`;
      upload.parts.set(Number(query.get('partNumber')), { bytes: body, etag });
      return { status: 200, headers: { etag } };
    }
    if (method === 'POST') return this.#complete(asked, { id, upload });
    this.uploads.delete(id);
    return { status: 204 };
  }

  #complete({ bucket, key, body }: Asked, { id, upload }: { id: string; upload: Upload }): Answer {
    const numbers = inTag(body.toString(), 'PartNumber').map(Number);
    const etags = inTag(body.toString(), 'ETag');
    const parts = numbers.map((number) => upload.parts.get(number));
    if (parts.length === 0 || numbers.some((number, at) => at > 0 && number <= numbers[at - 1]!))
      return errorAnswer(400, 'InvalidPartOrder');
    if (parts.some((part, at) => part?.etag !== etags[at])) return errorAnswer(400, 'InvalidPart');
    if (parts.slice(0, -1).some((part) => part!.bytes.length < PART_BYTES_MIN))
      return errorAnswer(400, 'EntityTooSmall');
    this.uploads.delete(id);
    const etag = `"${md5(Buffer.from(etags.map((each) => each.replaceAll('"', '')).join(''), 'hex'))}-${parts.length}"`;
    this.#store(bucket, key, Buffer.concat(parts.map((part) => part!.bytes)), etag);
    return xml(
      `<CompleteMultipartUploadResult><Key>${escaped(key)}</Key><ETag>${escaped(etag)}</ETag></CompleteMultipartUploadResult>`,
    );
  }
}
