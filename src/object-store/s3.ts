import { backoff, type Clock, eachBounded, Failure, retrying, systemClock } from '../base/base.ts';
import { Budget } from './budget.ts';
import { diskFailure, notFound, unlessMissing } from './failures.ts';
import { type Files, nodeFiles } from './files.ts';
import { badLocation, isKey, keyOf, keyPrefixOf } from './locations.ts';
import { uploadFile } from './multipart.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';
import type { S3Requests } from './s3-client.ts';
import { type ConditionalWriting, create, swap } from './s3-conditional.ts';
import { deleteKeys } from './s3-delete.ts';
import { isMissingObject, S3Failure } from './s3-failures.ts';

const MIB = 1024 * 1024;
const PAUSES = { first_ms: 100, most_ms: 10_000 };

export interface S3Connection {
  /** Of a store that is not AWS's own, or of a VPC. */
  endpoint?: string;
  /** Without it and without an endpoint: as the AWS SDK finds it. */
  region?: string;
  /** The bucket in the path instead of the host name; by default where there is an endpoint. */
  pathStyle?: boolean;
  /**
   * Without them: as the AWS SDK finds them (environment, files, SSO, roles). A function is asked at every request and is
   * expected to cache, as those of the SDK do; it is told when what it gave is no longer taken.
   */
  credentials?: S3Credentials | ((how?: { forceRefresh: boolean }) => Promise<S3Credentials>);
}

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface S3Limits {
  /** Requests, and so sockets, at once. */
  requests: number;
  /** Files above this go up in parts of it; S3 takes none below 5 MiB but the last. */
  part_bytes: number;
  /** What all uploads together hold in memory. */
  uploadMemory_bytes: number;
  /** Of what may be repeated: eight are twelve seconds of pauses, or less. */
  attempts: number;
  connect_ms: number;
  /** The longest that a connection is silent; uploads are given more (s3-silence.ts). */
  silence_ms: number;
  /** The longest that one attempt takes in all; after two of them none begins. */
  attempt_ms: number;
}

const LIMITS: S3Limits = {
  requests: 16,
  part_bytes: 8 * MIB,
  uploadMemory_bytes: 64 * MIB,
  attempts: 8,
  connect_ms: 5_000,
  silence_ms: 30_000,
  attempt_ms: 300_000,
};

export interface S3StoreOptions extends S3Connection {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  root: string;
  limits?: Partial<S3Limits>;
  clock?: Clock;
  random?: () => number;
  files?: Files;
}

/**
 * Objects under a prefix of a bucket, of AWS or of any store that speaks its protocol and honours conditional writes.
 *
 * Whatever does the same when it is done twice is tried again, with bounded pauses: reading, listing, deleting,
 * unconditional writing, parts of an upload. Conditional writes have rules of their own: s3-conditional.ts.
 */
export function openS3Store({
  root,
  limits = {},
  clock = systemClock,
  random = Math.random,
  files = nodeFiles,
  ...connection
}: S3StoreOptions): ObjectStore {
  const { bucket, prefix } = bucketOf(root);
  const all = { ...LIMITS, ...limits };
  const connect = async () =>
    (await import('./s3-client.ts')).connectS3(bucket, { connection, limits: all, clock });
  return new S3Store({ bucket, prefix, connect, limits: all, clock, random, files });
}

interface Parts {
  bucket: string;
  prefix: string;
  connect: () => Promise<S3Requests>;
  limits: S3Limits;
  clock: Clock;
  random: () => number;
  files: Files;
}

class S3Store implements ObjectStore {
  readonly root: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #connect: () => Promise<S3Requests>;
  readonly #limits: S3Limits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #files: Files;
  readonly #memory: Budget;
  #connected: Promise<S3Requests> | undefined;

  constructor({ bucket, prefix, connect, limits, clock, random, files }: Parts) {
    this.root = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix}/`;
    this.#connect = connect;
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#files = files;
    this.#memory = new Budget(limits.uploadMemory_bytes);
  }

  localPath(location: string): undefined {
    this.#keyOf(location);
    return undefined;
  }

  async read(location: string, range?: { offset: number; length: number }): Promise<Uint8Array> {
    const key = this.#keyOf(location);
    const bytes = await this.#readKey(key, range);
    if (bytes === undefined) throw notFound(location);
    return bytes;
  }

  async head(location: string): Promise<ObjectInfo | undefined> {
    const key = this.#keyOf(location);
    const requests = await this.#requests();
    const head = await this.#retried(() => requests.head(key));
    return head && { location, ...head };
  }

  async write(location: string, bytes: Uint8Array): Promise<void> {
    const key = this.#keyOf(location);
    const requests = await this.#requests();
    await this.#retried((attempt) => requests.put(key, bytes, { attempt }));
  }

  async writeIfAbsent(location: string, bytes: Uint8Array): Promise<boolean> {
    return create(await this.#conditional(location), bytes);
  }

  async writeIfMatch(location: string, bytes: Uint8Array, etag: string): Promise<boolean> {
    return swap(await this.#conditional(location), bytes, etag);
  }

  /** The local files stay until all are in the store, so that a caller can do the same again. */
  async moveIn(files: readonly { localPath: string; location: string }[]): Promise<void> {
    const moves = files.map(({ localPath, location }) => ({ path: localPath, key: this.#keyOf(location) }));
    if (moves.length === 0) return;
    const uploading = {
      files: this.#files,
      requests: await this.#requests(),
      part_bytes: this.#limits.part_bytes,
      memory: this.#memory,
      retried: <T>(action: (attempt: number) => Promise<T>) => this.#retried(action),
    };
    try {
      await eachBounded(moves, this.#limits.requests, (move) => uploadFile(uploading, move));
      for (const { path } of moves) await this.#files.unlink(path).catch(unlessMissing);
    } catch (error) {
      throw diskFailure(`cannot move ${files.length} files into ${this.root}`, error);
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    const keyPrefix = this.#prefix + keyPrefixOf(this.root, prefix);
    const requests = await this.#requests();
    let token: string | undefined;
    do {
      const page = await this.#retried(() => requests.list(keyPrefix, token));
      for (const { key, ...head } of page.objects) {
        // Consoles and Hadoop leave markers of folders, with a slash at their end: no objects of a lake.
        const name = key.slice(this.#prefix.length);
        if (isKey(name)) yield { location: `${this.root}/${name}`, ...head };
      }
      token = page.next;
    } while (token !== undefined);
  }

  async delete(locations: readonly string[]): Promise<void> {
    const keys = locations.map((location) => this.#keyOf(location));
    if (keys.length === 0) return;
    const requests = await this.#requests();
    const retried = <T>(action: () => Promise<T>) => this.#retried(action);
    await deleteKeys({ requests, retried, bucket: `s3://${this.#bucket}/` }, keys);
  }

  async #readKey(key: string, range?: { offset: number; length: number }): Promise<Uint8Array | undefined> {
    const requests = await this.#requests();
    try {
      // No range header says "nothing": whether the object is there, a HEAD says.
      if (range?.length === 0) return (await this.#retried(() => requests.head(key))) && new Uint8Array();
      return await this.#retried(() => requests.get(key, range));
    } catch (error) {
      if (error instanceof S3Failure && isMissingObject(error)) return undefined;
      throw error;
    }
  }

  async #conditional(location: string): Promise<ConditionalWriting> {
    const key = this.#keyOf(location);
    const requests = await this.#requests();
    return {
      requests,
      location,
      key,
      attempts: this.#limits.attempts,
      pause: (attempt) => this.#clock.sleep(backoff(attempt - 1, { ...PAUSES, random: this.#random })),
      read: () => this.#readKey(key),
    };
  }

  #retried<T>(action: (attempt: number) => Promise<T>): Promise<T> {
    const { attempts, attempt_ms } = this.#limits;
    const within_ms = 2 * attempt_ms;
    return retrying({ attempts, within_ms, clock: this.#clock, ...PAUSES, random: this.#random }, action);
  }

  #requests(): Promise<S3Requests> {
    this.#connected ??= this.#connect();
    return this.#connected;
  }

  #keyOf(location: string): string {
    const key = keyOf(this.root, location);
    // S3 takes them, but lists and deletes by XML, which has no way to write them.
    if (/\p{Cc}/u.test(key)) throw badLocation(this.root, location);
    return this.#prefix + key;
  }
}

function bucketOf(root: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-zA-Z0-9][\w.-]+)(?:\/(.*?))?\/?$/.exec(root) ?? [];
  if (bucket !== undefined && (prefix === '' || isKey(prefix))) return { bucket, prefix };
  throw new Failure(`${root} names no place in a bucket`, {
    code: 'config.bad_store_url',
    fault: 'user',
    why: 'it is s3://BUCKET or s3://BUCKET/PREFIX, a bucket’s name of 2 characters or more, and no part of the prefix empty, . or ..',
    hint: 'correct store.url',
  });
}
