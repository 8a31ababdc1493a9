/**
 * Conditional writes: what the `bucket` catalog's commits are made of. Nothing here lets a transport send one twice.
 *
 * A swap (If-Match) whose answer was lost is `object_store.unknown`, always: a second one would be refused because of
 * the first, and nobody could tell it from a refusal because of another writer.
 *
 * A creation (If-None-Match) whose answer was lost is looked up. The same bytes under the name: it is there. Nothing:
 * the very same creation is sent again, which cannot do harm where the first comes late, for then it finds its own
 * bytes. Other bytes: unknown, for ours may have been there before them. Only an answer that came at once says false.
 */
import { unknownOutcome } from './failures.ts';
import type { Condition, S3Requests } from './s3-client.ts';
import { isMissingObject, S3Failure } from './s3-failures.ts';

export interface ConditionalWriting {
  requests: S3Requests;
  location: string;
  key: string;
  attempts: number;
  /** Before the attempt of that number, counted from 1. */
  pause: (attempt: number) => Promise<void>;
  /** Undefined when there is nothing; with the retries of reading. */
  read: () => Promise<Uint8Array | undefined>;
}

export async function swap(at: ConditionalWriting, bytes: Uint8Array, etag: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const result = await put(at, bytes, { ifMatch: etag });
    if (result === 'done' || result === 'refused') return result === 'done';
    if (result.outcome === 'uncertain') throw unknownOutcome(at.location, result);
    // A conflict: nothing was written, and who else writes may not have won either. The store judges again.
    if (attempt >= at.attempts) throw result;
    await at.pause(attempt);
  }
}

export async function create(at: ConditionalWriting, bytes: Uint8Array): Promise<boolean> {
  /** The first attempt that may have been carried out: from then on a refusal may be of our own making. */
  let uncertain: S3Failure | undefined;
  for (let attempt = 1; ; attempt++) {
    const result = await put(at, bytes, { ifAbsent: true }).catch((refusal) => {
      throw uncertain === undefined ? refusal : unknownOutcome(at.location, uncertain);
    });
    if (result === 'done') return true;
    if (result !== 'refused' && result.outcome === 'uncertain') uncertain ??= result;
    if (uncertain === undefined) {
      if (result === 'refused') return false;
    } else {
      if (await isThere(at, bytes, uncertain)) return true;
      // It was there, and was deleted since; if it was ours, to send it again would bring it back.
      if (result === 'refused') throw unknownOutcome(at.location, uncertain);
    }
    if (attempt >= at.attempts)
      throw uncertain === undefined ? result : unknownOutcome(at.location, uncertain);
    await at.pause(attempt);
  }
}

/** A conflict or an uncertain outcome is handed back; any other failure is a refusal with a reason, and thrown. */
async function put(
  { requests, key }: ConditionalWriting,
  bytes: Uint8Array,
  condition: Condition,
): Promise<'done' | 'refused' | S3Failure> {
  try {
    await requests.put(key, bytes, { condition });
    return 'done';
  } catch (error) {
    if (!(error instanceof S3Failure)) throw error;
    const gone = 'ifMatch' in condition && isMissingObject(error);
    if (error.status === 412 || gone) return 'refused';
    if (error.status === 409 || error.outcome === 'uncertain') return error;
    throw error;
  }
}

async function isThere(at: ConditionalWriting, bytes: Uint8Array, uncertain: S3Failure): Promise<boolean> {
  const found = await at.read().catch(() => {
    throw unknownOutcome(at.location, uncertain);
  });
  if (found === undefined) return false;
  if (Buffer.compare(found, bytes) === 0) return true;
  throw unknownOutcome(at.location, uncertain);
}
