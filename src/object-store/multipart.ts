/**
 * A local file into one object, in parts that are read when it is their turn. No part of a failed upload stays behind:
 * the store would keep it, unseen and paid for. (What a killed process leaves, the bucket's lifecycle rule
 * AbortIncompleteMultipartUpload removes.)
 */
import { eachBounded, Failure } from '../base/base.ts';
import type { Budget } from './budget.ts';
import type { Files } from './files.ts';
import type { ObjectHead, Part, S3Requests, Upload } from './s3-client.ts';
import { S3Failure } from './s3-failures.ts';

/** The limit of S3. */
const PARTS_MAX = 10_000;
/** More only fill the line: requests and bytes have bounds of their own. */
const PARTS_AT_ONCE = 8;

export interface Uploading {
  files: Files;
  requests: S3Requests;
  part_bytes: number;
  /** Bytes of all uploads that are in memory at once. */
  memory: Budget;
  /** The action is told which attempt it is, from 0. */
  retried: <T>(action: (attempt: number) => Promise<T>) => Promise<T>;
}

export async function uploadFile(
  uploading: Uploading,
  { path, key }: { path: string; key: string },
): Promise<void> {
  const { files, requests, memory, part_bytes, retried } = uploading;
  const { size } = await files.status(path);
  if (size > part_bytes) return uploadInParts(uploading, { path, key, size });
  await memory.holding(size, async () => {
    const bytes = await readExactly(files, path, { offset: 0, length: size });
    await retried((attempt) => requests.put(key, bytes, { attempt }));
  });
}

async function uploadInParts(
  uploading: Uploading,
  { path, key, size }: { path: string; key: string; size: number },
): Promise<void> {
  const { requests, retried } = uploading;
  const upload = await retried(() => requests.beginUpload(key));
  try {
    const parts = await putParts(uploading, { upload, path, size });
    await complete(uploading, { upload, parts, size });
  } catch (error) {
    // All parts have ended by now: one that came after the abort would stay.
    await retried(() => requests.abortUpload(upload)).catch(() => {});
    throw error;
  }
}

async function putParts(
  { files, requests, memory, part_bytes, retried }: Uploading,
  { upload, path, size }: { upload: Upload; path: string; size: number },
): Promise<Part[]> {
  const length = Math.max(part_bytes, Math.ceil(size / PARTS_MAX));
  const numbers = Array.from({ length: Math.ceil(size / length) }, (_, index) => index + 1);
  const parts: Part[] = [];
  await eachBounded(numbers, PARTS_AT_ONCE, (number) => {
    const offset = (number - 1) * length;
    const range = { offset, length: Math.min(length, size - offset) };
    return memory.holding(range.length, async () => {
      const bytes = await readExactly(files, path, range);
      parts.push(await retried((attempt) => requests.putPart(upload, { number, bytes }, attempt)));
    });
  });
  return parts.sort((a, b) => a.number - b.number);
}

/**
 * After a lost answer a store may know the upload no more, because it was completed. The name is fresh, so an object
 * of this size under it is ours.
 */
async function complete(
  { requests, retried }: Uploading,
  { upload, parts, size }: { upload: Upload; parts: readonly Part[]; size: number },
): Promise<void> {
  let uncertain = false;
  await retried(async () => {
    try {
      await requests.completeUpload(upload, parts);
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error;
      const forgotten = uncertain && error.reason === 'NoSuchUpload';
      uncertain ||= error.outcome === 'uncertain';
      if (!forgotten || !isWhole(await requests.head(upload.key), size)) throw error;
    }
  });
}

const isWhole = (head: ObjectHead | undefined, size: number): boolean => head?.size === size;

async function readExactly(
  files: Files,
  path: string,
  range: { offset: number; length: number },
): Promise<Uint8Array> {
  const bytes = await files.read(path, range);
  if (bytes.length === range.length) return bytes;
  throw new Failure(`cannot upload ${path}`, {
    code: 'object_store.changed',
    fault: 'user',
    why: `the file became shorter while it was read: ${bytes.length} bytes of ${range.length} at ${range.offset}`,
    hint: 'let nothing else write to the folder of finished files',
  });
}
