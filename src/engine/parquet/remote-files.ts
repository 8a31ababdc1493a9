/**
 * Files of a store elsewhere, read through sparse local copies: the footer first, then the columns and row groups that
 * are needed. A copy in which row groups are missing says so in its own footer.
 */
import { eachBounded, Failure } from '../../base/base.ts';
import type { LakeFile } from '../batch.ts';
import type { HeldFiles, LocalFiles, Need, ReadStats } from '../local-files.ts';
import { type ByteRange, type Footer, footerLength, parseFooter, TRAILER_BYTES } from './footer.ts';
import { planRead } from './read-plan.ts';
import { type HeldCopy, SparseCopies, type Wanted, WHOLE } from './sparse-copies.ts';

export interface RemoteOptions {
  /** Of these copies alone; on the file system of the engine's work folder, so that written files are kept by link. */
  folder: string;
  /** Bytes of all copies together. */
  most_bytes: number;
  read(location: string, range: { offset: number; length: number }): Promise<Uint8Array>;
}

export interface RemoteFiles extends LocalFiles {
  /** Keeps a file that is about to be moved into the store: its rows are soon read again. */
  keep(localPath: string, location: string): Promise<void>;
}

/** Enough for the footer of nearly every file; a file that is no longer is fetched whole by it. */
const END_BYTES = 64 * 1024;
/** Footers remembered, by their bytes. */
const FOOTER_BYTES = 32 * 1024 * 1024;
const FILES_AT_ONCE = 16;

interface End {
  footer: Footer;
  bytes: Uint8Array;
  /** The end of the file as far as it was fetched. */
  range: ByteRange;
}

export function remoteFiles(options: RemoteOptions): RemoteFiles {
  const copies = new SparseCopies(options);
  const ends = new Remembered<End>(FOOTER_BYTES);
  const endOf = async (file: LakeFile): Promise<{ end: End; fetched_bytes: number }> => {
    const known = ends.get(file.location);
    if (known !== undefined) return { end: known, fetched_bytes: 0 };
    const end = await readEnd(options, file);
    ends.set(file.location, { value: end, size: end.bytes.length });
    return { end, fetched_bytes: end.bytes.length };
  };
  return {
    keep: (localPath, location) => copies.keep(localPath, location),
    async hold(files, need = {}): Promise<HeldFiles> {
      const copied: HeldCopy[] = [];
      const stats: ReadStats = {
        files: files.length,
        rowGroups: { listed: 0, needed: 0 },
        bytes: { listed: 0, needed: 0, fetched: 0 },
      };
      const release = () => {
        for (const copy of copied) copy?.release();
      };
      try {
        await eachBounded([...files.entries()], FILES_AT_ONCE, async ([i, file]) => {
          const wanted =
            isWhole(need) || copies.isWhole(file)
              ? wholeOf(file)
              : await partOf(file, { need, stats, endOf });
          stats.bytes.listed += file.fileSize;
          stats.bytes.needed += wanted.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
          copied[i] = await copies.hold(wanted);
          stats.bytes.fetched += copied[i].fetched_bytes;
        });
      } catch (error) {
        release();
        throw error;
      }
      return { paths: copied.map(({ path }) => path), stats, release };
    },
  };
}

/** All of it is needed, or all of it is here. */
const isWhole = ({ columns, anyOf }: Need) => columns === undefined && anyOf === undefined;

const wholeOf = ({ location, fileSize }: LakeFile): Wanted => ({
  ...{ location, variant: WHOLE, tail: undefined },
  ranges: [{ from: 0, to: fileSize }],
});

interface Reading {
  need: Need;
  stats: ReadStats;
  endOf(file: LakeFile): Promise<{ end: End; fetched_bytes: number }>;
}

async function partOf(file: LakeFile, { need, stats, endOf }: Reading): Promise<Wanted> {
  const { end, fetched_bytes } = await endOf(file);
  const { groups, ranges } = planRead(end.footer, need);
  stats.rowGroups.listed += end.footer.groups.length;
  stats.rowGroups.needed += groups.length;
  stats.bytes.fetched += fetched_bytes;
  // A short file came whole with its end.
  if (end.range.from === 0) {
    return { ...wholeOf(file), tail: { at: 0, bytes: end.bytes } };
  }
  const all = groups.length === end.footer.groups.length;
  return {
    location: file.location,
    variant: all ? 'all' : groups.join(','),
    ranges,
    tail: { at: lastByte(end.footer), bytes: end.footer.only(groups) },
  };
}

/** Where the last page or bloom filter ends: a footer behind it lies on nothing. */
const lastByte = ({ groups }: Footer): number =>
  groups.reduce(
    (last, { chunks }) => Math.max(last, ...chunks.flatMap(({ ranges }) => ranges.map(({ to }) => to))),
    4,
  );

async function readEnd({ read }: RemoteOptions, { location, fileSize }: LakeFile): Promise<End> {
  try {
    let from = Math.max(0, fileSize - END_BYTES);
    let bytes = await read(location, { offset: from, length: fileSize - from });
    if (bytes.length !== fileSize - from) throw new Error('it is shorter than the table says');
    const length = footerLength(bytes.subarray(-TRAILER_BYTES)) + TRAILER_BYTES;
    if (length > fileSize) throw new Error('its footer is longer than the file');
    if (length > bytes.length) {
      from = fileSize - length;
      bytes = await read(location, { offset: from, length });
    }
    const footer = parseFooter(bytes.subarray(bytes.length - length, -TRAILER_BYTES), fileSize - length);
    return { footer, bytes, range: { from, to: fileSize } };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot read ${location}`, {
      code: 'engine.unreadable',
      fault: 'user',
      why: (error as Error).message,
      hint: 'lakeward verify names the files; restore them from a backup',
      cause: error,
    });
  }
}

/** Values up to a number of bytes; the one that was not asked for longest is forgotten first. */
class Remembered<T> {
  readonly #most: number;
  readonly #values = new Map<string, { value: T; size: number }>();
  #size = 0;

  constructor(most_bytes: number) {
    this.#most = most_bytes;
  }

  get(key: string): T | undefined {
    const found = this.#values.get(key);
    if (found === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, found);
    return found.value;
  }

  set(key: string, entry: { value: T; size: number }): void {
    this.#size += entry.size - (this.#values.get(key)?.size ?? 0);
    this.#values.delete(key);
    this.#values.set(key, entry);
    for (const [oldest, { size }] of this.#values) {
      if (this.#size <= this.#most) return;
      this.#values.delete(oldest);
      this.#size -= size;
    }
  }
}
