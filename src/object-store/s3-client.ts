/**
 * The requests to S3 that the store is made of, each one attempt: the SDK's own retries are off, because a request
 * that was sent twice cannot be told from one that another writer sent. Every attempt has a deadline and a place among
 * a bounded number of requests; every error is an S3Failure. Loaded when the first request is made: the SDK costs
 * 85 ms and 37 MB, which a lake on local disk does not pay.
 */
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Clock } from '../base/base.ts';
import { Budget } from './budget.ts';
import type { S3Connection, S3Limits } from './s3.ts';
import { renewable } from './s3-credentials.ts';
import {
  EXPIRED_TOKEN,
  isMissingObject,
  type S3Failure,
  s3Failure,
  shortBody,
  waitedFor,
} from './s3-failures.ts';
import { silenceHandler, silenceOf } from './s3-silence.ts';

export interface ObjectHead {
  size: number;
  modifiedAt_ms: number;
  etag: string;
}

export interface Page {
  objects: readonly (ObjectHead & { key: string })[];
  /** What to ask the next page with; undefined after the last. */
  next: string | undefined;
}

export type Condition = { ifAbsent: true } | { ifMatch: string };

export interface Putting {
  condition?: Condition;
  attempt?: number;
}

export interface Upload {
  key: string;
  uploadId: string;
}

export interface Part {
  number: number;
  etag: string;
}

export interface KeyError {
  key: string;
  code: string;
  message: string;
}

const MODIFIED_UNKNOWN = new Date(0);

export function connectS3(
  bucket: string,
  { connection, limits, clock }: { connection: S3Connection; limits: S3Limits; clock: Clock },
): S3Requests {
  const { credentials, renew } = renewable(connection.credentials);
  const client = new S3Client({
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...regionOf(connection),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: connection.pathStyle ?? connection.endpoint !== undefined,
    maxAttempts: 1,
    // The default, CRC32 in a trailer, is refused by many stores that are not AWS. The body is in the signature anyhow.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Else every large put opens a connection of its own, and waits for stores that answer no 100.
    expectContinueHeader: false,
    requestHandler: silenceHandler(limits),
  });
  return new S3Requests({ bucket, client, limits, clock, renew });
}

function regionOf({ region, endpoint }: S3Connection): { region?: string } {
  if (region !== undefined) return { region };
  // Other stores take any region, most of them this one by default; AWS's own is looked up as the SDK does.
  return endpoint === undefined ? {} : { region: 'us-east-1' };
}

export class S3Requests {
  readonly #bucket: string;
  readonly #client: S3Client;
  readonly #limits: S3Limits;
  readonly #clock: Clock;
  readonly #renew: () => void;
  readonly #places: Budget;
  /** Credentials of ours were taken before. */
  #served = false;

  constructor(made: { bucket: string; client: S3Client; limits: S3Limits; clock: Clock; renew: () => void }) {
    this.#bucket = made.bucket;
    this.#client = made.client;
    this.#limits = made.limits;
    this.#clock = made.clock;
    this.#renew = made.renew;
    this.#places = new Budget(made.limits.requests);
  }

  /** A range that begins past the end gives nothing; an endpoint that ignores ranges is forgiven. */
  get(key: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
    const attempt = `cannot read ${this.#uri(key)}`;
    const header = range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    return this.#attempt(attempt, async (abortSignal) => {
      const input = { ...this.#of(key), ...header };
      const answer = await this.#client.send(new GetObjectCommand(input), { abortSignal });
      const expected = lengthOf(answer);
      const bytes = await collect(answer.Body as Readable, expected);
      if (expected !== undefined && bytes.length !== expected)
        throw shortBody(attempt, { got: bytes.length, expected });
      return range && answer.ContentRange === undefined
        ? bytes.subarray(range.offset, range.offset + range.length)
        : bytes;
    }).catch((error: S3Failure) => {
      if (range && error.status === 416) return new Uint8Array();
      throw error;
    });
  }

  /** Undefined when there is nothing under the key; a HEAD cannot tell a missing bucket from a missing object. */
  head(key: string): Promise<ObjectHead | undefined> {
    return this.#attempt(`cannot look at ${this.#uri(key)}`, async (abortSignal) => {
      const answer = await this.#client.send(new HeadObjectCommand(this.#of(key)), { abortSignal });
      return headOf({ ...answer, Size: answer.ContentLength });
    }).catch((error: S3Failure) => {
      if (isMissingObject(error)) return undefined;
      throw error;
    });
  }

  /** `attempt` counts from 0: each waits longer for a store that says nothing. */
  put(key: string, bytes: Uint8Array, { condition, attempt = 0 }: Putting = {}): Promise<void> {
    return this.#attempt(`cannot write ${this.#uri(key)}`, async (abortSignal) => {
      const input = { ...this.#of(key), Body: bytes, ContentLength: bytes.length, ...headersOf(condition) };
      const requestTimeout = silenceOf({ bytes: bytes.length, attempt }, this.#limits);
      await this.#client.send(new PutObjectCommand(input), { abortSignal, requestTimeout });
    });
  }

  list(prefix: string, token: string | undefined): Promise<Page> {
    return this.#attempt(`cannot list ${this.#uri(prefix)}`, async (abortSignal) => {
      const input = {
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const answer = await this.#client.send(new ListObjectsV2Command(input), { abortSignal });
      const objects = (answer.Contents ?? []).map((entry) => ({ key: entry.Key ?? '', ...headOf(entry) }));
      return { objects, next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined };
    });
  }

  /** At most 1,000 keys; those that were not deleted come back, each with its reason. */
  deleteMany(keys: readonly string[]): Promise<KeyError[]> {
    return this.#attempt(`cannot delete ${keys.length} objects`, async (abortSignal) => {
      const command = new DeleteObjectsCommand({
        Bucket: this.#bucket,
        Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
        // MD5 is the one digest of this request that every store knows; it guards nothing secret.
        ChecksumAlgorithm: 'MD5',
      });
      const { Errors = [] } = await this.#client.send(command, { abortSignal });
      return Errors.map(({ Key = '', Code = 'Unknown', Message = '' }) => ({
        key: Key,
        code: Code,
        message: Message,
      }));
    });
  }

  beginUpload(key: string): Promise<Upload> {
    const attempt = `cannot begin to upload ${this.#uri(key)}`;
    return this.#attempt(attempt, async (abortSignal) => {
      const command = new CreateMultipartUploadCommand(this.#of(key));
      const { UploadId: uploadId } = await this.#client.send(command, { abortSignal });
      if (uploadId === undefined) throw new Error('the answer has no UploadId');
      return { key, uploadId };
    });
  }

  putPart(
    { key, uploadId }: Upload,
    { number, bytes }: { number: number; bytes: Uint8Array },
    attempt: number,
  ): Promise<Part> {
    return this.#attempt(`cannot upload part ${number} of ${this.#uri(key)}`, async (abortSignal) => {
      const part = { PartNumber: number, Body: bytes, ContentLength: bytes.length };
      const command = new UploadPartCommand({ ...this.#of(key), UploadId: uploadId, ...part });
      const requestTimeout = silenceOf({ bytes: bytes.length, attempt }, this.#limits);
      const { ETag: etag } = await this.#client.send(command, { abortSignal, requestTimeout });
      if (etag === undefined) throw new Error('the answer has no ETag');
      return { number, etag };
    });
  }

  completeUpload({ key, uploadId }: Upload, parts: readonly Part[]): Promise<void> {
    return this.#attempt(`cannot complete the upload of ${this.#uri(key)}`, async (abortSignal) => {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
      const input = { ...this.#of(key), UploadId: uploadId, MultipartUpload: { Parts } };
      await this.#client.send(new CompleteMultipartUploadCommand(input), { abortSignal });
    });
  }

  abortUpload({ key, uploadId }: Upload): Promise<void> {
    return this.#attempt(`cannot abort the upload of ${this.#uri(key)}`, async (abortSignal) => {
      const command = new AbortMultipartUploadCommand({ ...this.#of(key), UploadId: uploadId });
      await this.#client.send(command, { abortSignal });
    });
  }

  #attempt<T>(attempt: string, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#places.holding(1, async () => {
      const late = new AbortController();
      const done = new AbortController();
      const { attempt_ms } = this.#limits;
      void this.#clock.sleep(attempt_ms, done.signal).then(() => {
        if (!done.signal.aborted) late.abort(new Error(`no whole answer within ${attempt_ms} ms`));
      });
      try {
        const answer = await action(late.signal);
        this.#served = true;
        return answer;
      } catch (error) {
        const failure = s3Failure(attempt, late.signal.aborted ? late.signal.reason : error);
        if (failure.code === EXPIRED_TOKEN) this.#renew();
        throw this.#served ? waitedFor(failure) : failure;
      } finally {
        done.abort();
      }
    });
  }

  #of(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  #uri(key: string): string {
    return `s3://${this.#bucket}/${key}`;
  }
}

const headersOf = (condition: Condition | undefined): { IfNoneMatch?: string; IfMatch?: string } => {
  if (condition === undefined) return {};
  return 'ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' };
};

/** HEAD tells whole seconds, some stores' lists milliseconds: one object must not have two times. */
function headOf(told: {
  Size?: number | undefined;
  LastModified?: Date | undefined;
  ETag?: string | undefined;
}): ObjectHead {
  const seconds = Math.floor((told.LastModified ?? MODIFIED_UNKNOWN).getTime() / 1000);
  return { size: told.Size ?? 0, modifiedAt_ms: seconds * 1000, etag: told.ETag ?? '' };
}

function lengthOf(answer: {
  ContentLength?: number | undefined;
  ContentRange?: string | undefined;
}): number | undefined {
  const range = /^bytes (\d+)-(\d+)\//.exec(answer.ContentRange ?? '');
  return range ? Number(range[2]) - Number(range[1]) + 1 : answer.ContentLength;
}

/** Into one buffer of the announced size. What comes beyond it makes the result longer than announced. */
async function collect(body: Readable, expected = 0): Promise<Uint8Array> {
  let bytes = new Uint8Array(expected);
  let at = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > bytes.length) {
      const longer = new Uint8Array(Math.max(at + chunk.length, 2 * at));
      longer.set(bytes.subarray(0, at));
      bytes = longer;
    }
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes.subarray(0, at);
}
