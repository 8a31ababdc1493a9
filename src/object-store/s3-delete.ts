import { eachBounded, type Failure } from '../base/base.ts';
import type { KeyError, S3Requests } from './s3-client.ts';
import { perKeyFailure } from './s3-failures.ts';

/** The limit of S3. */
const KEYS_A_REQUEST = 1000;
const REQUESTS_AT_ONCE = 4;

export interface Deleting {
  requests: S3Requests;
  retried: <T>(action: () => Promise<T>) => Promise<T>;
  /** For messages: the URI of the bucket, with a slash. */
  bucket: string;
}

/** A request that succeeds can still have failed for some of its keys: only these are asked for again. */
export async function deleteKeys(deleting: Deleting, keys: readonly string[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(keys.length / KEYS_A_REQUEST) }, (_, index) =>
    keys.slice(index * KEYS_A_REQUEST, (index + 1) * KEYS_A_REQUEST),
  );
  await eachBounded(batches, REQUESTS_AT_ONCE, (batch) => deleteBatch(deleting, batch));
}

function deleteBatch({ requests, retried, bucket }: Deleting, batch: readonly string[]): Promise<void> {
  let left = batch;
  return retried(async () => {
    const errors = (await requests.deleteMany(left)).filter(({ code }) => code !== 'NoSuchKey');
    if (errors.length === 0) return;
    left = errors.map(({ key }) => key);
    throw worstOf(errors, bucket);
  });
}

/** One that no repetition mends, if there is one. */
function worstOf(errors: readonly KeyError[], bucket: string): Failure {
  const failures = errors.map((error) =>
    perKeyFailure(`cannot delete ${bucket}${error.key}${more(errors.length - 1)}`, error),
  );
  return failures.find(({ retry }) => retry === 'never') ?? (failures[0] as Failure);
}

const more = (count: number): string => (count === 0 ? '' : ` and ${count} more`);
