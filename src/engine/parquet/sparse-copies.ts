/**
 * Local copies of remote objects of which only some ranges are there, in files of the full length whose rest takes no
 * room. What nobody holds is dropped, the longest unused first, when there is no room for more.
 */
import { type FileHandle, link, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { eachBounded, Failure, Gate, makeFolder, Turns } from '../../base/base.ts';
import type { ByteRange } from './footer.ts';

export interface CopyOptions {
  /** Of these copies alone. */
  folder: string;
  /** Bytes that all copies together take on disk at most. */
  most_bytes: number;
  read(location: string, range: { offset: number; length: number }): Promise<Uint8Array>;
}

export interface Wanted {
  location: string;
  /** Copies of one object with different ends are apart. */
  variant: string;
  ranges: readonly ByteRange[];
  /** Written behind the last range: the end of the file as it is to be read. */
  tail: { at: number; bytes: Uint8Array } | undefined;
}

export interface HeldCopy {
  path: string;
  fetched_bytes: number;
  release(): void;
}

/** One request reads this much, so that what is in memory is bounded by the requests at once. */
const PART_BYTES = 4 * 1024 * 1024;
const REQUESTS = 8;

/** The variant of a copy that is the object byte for byte. */
export const WHOLE = 'whole';

const keyOf = (variant: string, location: string) => `${variant} ${location}`;

interface Copy {
  path: string;
  key: string;
  bytes: number;
  holders: number;
  present: ByteRange[];
  /** What is being fetched of it; further ranges wait. */
  turns: Turns;
}

export class SparseCopies {
  readonly #options: CopyOptions;
  /** The longest unused first. */
  readonly #copies = new Map<string, Copy>();
  readonly #requests = new Gate(REQUESTS);
  #bytes = 0;
  #named = 0;
  #made: Promise<unknown> | undefined;

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  /** Whether every byte of it is here. */
  isWhole({ location, fileSize }: { location: string; fileSize: number }): boolean {
    const copy = this.#copies.get(keyOf(WHOLE, location));
    return copy !== undefined && without({ from: 0, to: fileSize }, copy.present).length === 0;
  }

  async hold(wanted: Wanted): Promise<HeldCopy> {
    const key = keyOf(wanted.variant, wanted.location);
    const copy = this.#copies.get(key) ?? this.#begin(key);
    copy.holders++;
    // Used just now: the last one to go.
    this.#copies.delete(key);
    this.#copies.set(key, copy);
    const release = once(() => this.#release(copy));
    try {
      return {
        path: copy.path,
        fetched_bytes: await copy.turns.take(() => this.#complete(copy, wanted)),
        release,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Keeps a local file, which is about to be moved away, as the whole copy of an object that it becomes. */
  async keep(localPath: string, location: string): Promise<void> {
    const { size } = await stat(localPath);
    const key = keyOf(WHOLE, location);
    if (this.#copies.has(key) || !this.#makeRoom(size)) return;
    const copy = this.#begin(key);
    copy.holders++;
    this.#grow(copy, size);
    try {
      await this.#folder();
      await link(localPath, copy.path);
      copy.present = [{ from: 0, to: size }];
    } catch {
      // Where there are no hard links it is fetched when it is read.
      this.#grow(copy, -size);
    } finally {
      this.#release(copy);
    }
  }

  #begin(key: string): Copy {
    const path = join(this.#options.folder, `${++this.#named}.parquet`);
    const copy: Copy = { path, key, bytes: 0, holders: 0, present: [], turns: new Turns() };
    this.#copies.set(key, copy);
    return copy;
  }

  async #complete(copy: Copy, { location, ranges, tail }: Wanted): Promise<number> {
    const first = copy.bytes === 0;
    const given = first && tail !== undefined ? [{ from: tail.at, to: tail.at + tail.bytes.length }] : [];
    const present = first ? given : copy.present;
    const missing = ranges.flatMap((range) => without(range, present));
    const fetched = lengthOf(missing);
    const more = fetched + lengthOf(given);
    if (more === 0 && !first) return 0;
    if (!this.#makeRoom(more)) throw noRoom(location, this.#options.most_bytes);
    this.#grow(copy, more);
    try {
      await this.#folder();
      await using file = await open(copy.path, first ? 'w+' : 'r+');
      if (first && tail !== undefined) await writeAll(file, tail.bytes, tail.at);
      // One that fails ends the others, and the file is closed when nothing is written to it any more.
      await eachBounded(missing.flatMap(partsOf), REQUESTS, ({ from, to }) =>
        this.#requests.pass(async () => {
          const bytes = await this.#options.read(location, { offset: from, length: to - from });
          if (bytes.length !== to - from) throw cutOff(location);
          await writeAll(file, bytes, from);
        }),
      );
      copy.present = [...present, ...missing];
      return fetched;
    } catch (error) {
      this.#grow(copy, -more);
      throw diskFailure(error, copy.path);
    }
  }

  #folder(): Promise<unknown> {
    this.#made ??= makeFolder(this.#options.folder).catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  /** False when those that are held leave no room. */
  #makeRoom(bytes: number): boolean {
    for (const copy of this.#copies.values()) {
      if (this.#bytes + bytes <= this.#options.most_bytes) break;
      if (copy.holders === 0) this.#drop(copy);
    }
    return this.#bytes + bytes <= this.#options.most_bytes;
  }

  #release(copy: Copy): void {
    copy.holders--;
    // Nothing of it came: the next one begins anew.
    if (copy.holders === 0 && copy.bytes === 0) this.#drop(copy);
  }

  #drop(copy: Copy): void {
    if (this.#copies.get(copy.key) === copy) this.#copies.delete(copy.key);
    this.#grow(copy, -copy.bytes);
    void rm(copy.path, { force: true }).catch(() => {});
  }

  #grow(copy: Copy, bytes: number): void {
    copy.bytes += bytes;
    this.#bytes += bytes;
  }
}

const lengthOf = (ranges: readonly ByteRange[]) => ranges.reduce((sum, { from, to }) => sum + to - from, 0);

const once = (action: () => void) => {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
};

/** What of a range is in none of those that are present. */
function without(range: ByteRange, present: readonly ByteRange[]): ByteRange[] {
  let left = [range];
  for (const { from, to } of present) {
    left = left.flatMap((part) =>
      [
        { from: part.from, to: Math.min(part.to, from) },
        { from: Math.max(part.from, to), to: part.to },
      ].filter((rest) => rest.from < rest.to),
    );
  }
  return left;
}

function partsOf({ from, to }: ByteRange): ByteRange[] {
  const parts: ByteRange[] = [];
  for (let at = from; at < to; at += PART_BYTES) parts.push({ from: at, to: Math.min(to, at + PART_BYTES) });
  return parts;
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

function noRoom(location: string, most_bytes: number): Failure {
  return new Failure('what is read does not fit the local copies', {
    code: 'engine.no_room',
    fault: 'user',
    retry: 'backoff',
    why: `with ${location} it is more than ${most_bytes} bytes at once`,
    hint: 'raise store.cache; a question can ask for fewer days, event types or columns, staging take less at once (staging.maxRows)',
    docs: 'docs/reference/configuration.md',
  });
}

const cutOff = (location: string) =>
  new Failure(`cannot read ${location}`, {
    code: 'engine.unreadable',
    fault: 'user',
    why: 'it is shorter than the table says',
    hint: 'lakeward verify names the files; restore them from a backup',
  });

function diskFailure(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof Failure || code === undefined) return error;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new Failure(`cannot copy to ${path}`, {
    code: full ? 'engine.disk' : 'engine.copy',
    fault: 'user',
    retry: full ? 'backoff' : 'never',
    why: (error as Error).message,
    hint: full ? 'make room on the disk that holds the lake folder' : 'the work folder must be writable',
    cause: error,
  });
}
