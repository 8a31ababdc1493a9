/**
 * A run: identities in one file, ordered by hash and then by themselves, in pages of 4 KiB. In memory are the filter
 * and one u32 a page, the hash of its first key; a key that passes the filter costs one page read. Pages, fences and
 * filter carry checksums: a run is a copy of what stands in the table, and a damaged one is made anew, never trusted.
 *
 * Layout, little-endian: pages | fences (u32 a page) | filter | footer of 32 bytes.
 * Page: 255 keys of 16 bytes | count u32 | CRC-32 of the 4,084 bytes before | padding.
 * Footer: magic (8) | keys f64 | pages u32 | filter words u32 | CRC-32 of fences and filter u32 | 0.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { hashAt } from '../../event/event.ts';
import { filterBits, IdentityFilter } from './filter.ts';
import { byHash, compareKeys } from './order.ts';

export const PAGE_BYTES = 4096;
export const PAGE_KEYS = 255;
export const FOOTER_BYTES = 32;
export const MAGIC = Buffer.from('LWIDENT1');
/** Pages read at once: 22 µs each with 64 in flight, 125 µs one after the other. */
const READS_AT_ONCE = 64;

/** What was read is not what was written. */
export class DamagedRun extends Error {}

/**
 * Keys that are looked for, hashed once for all runs and in the order of their hashes, as a run has its keys and a
 * filter its blocks: so both are gone through from front to back. In random order every probe of a large filter waits
 * for memory.
 */
export interface Sought {
  keys: Uint32Array;
  /** Where each stands among the keys; hashes and bits are in this order. */
  places: Uint32Array;
  hashes: Uint32Array;
  bits: Uint32Array;
}

export function sought(keys: Uint32Array, count: number): Sought {
  const { places, hashes } = byHash(keys, count);
  return { keys, places, hashes, bits: places.map((place) => filterBits(keys, place)) };
}

export class Run {
  readonly path: string;
  readonly keys: number;
  readonly filter: IdentityFilter;
  readonly #fences: Uint32Array;
  readonly #file: FileHandle;
  #readers = 1;

  private constructor(
    path: string,
    file: FileHandle,
    parts: { keys: number; fences: Uint32Array; filter: IdentityFilter },
  ) {
    this.path = path;
    this.#file = file;
    this.keys = parts.keys;
    this.#fences = parts.fences;
    this.filter = parts.filter;
  }

  /** Throws DamagedRun for what is no whole run. */
  static async open(path: string): Promise<Run> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const footer = await readAt(file, { at: size - FOOTER_BYTES, length: FOOTER_BYTES });
      if (!MAGIC.equals(footer.subarray(0, 8))) throw new DamagedRun('no magic');
      const [keys, pages, words] = [footer.readDoubleLE(8), footer.readUInt32LE(16), footer.readUInt32LE(20)];
      if (size !== pages * PAGE_BYTES + pages * 4 + words * 4 + FOOTER_BYTES)
        throw new DamagedRun('another size');
      const rest = await readAt(file, { at: pages * PAGE_BYTES, length: (pages + words) * 4 });
      if (crc32(rest) !== footer.readUInt32LE(24)) throw new DamagedRun('another checksum');
      const all = new Uint32Array(rest.buffer, rest.byteOffset, pages + words);
      const filter = new IdentityFilter(all.subarray(pages));
      return new Run(path, file, { keys, fences: all.subarray(0, pages), filter });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get pages(): number {
    return this.#fences.length;
  }

  /** Keeps it open until one more release. */
  retain(): void {
    this.#readers++;
  }

  async release(): Promise<void> {
    if (--this.#readers > 0) return;
    await this.#file.close();
  }

  /** Sets `found[i]` for every key that is in the run; those that are set already are not looked for. */
  async find({ keys, places, hashes, bits }: Sought, found: Uint8Array): Promise<void> {
    const byPage = new Map<number, number[]>();
    for (let i = 0; i < places.length; i++) {
      const [index, hash] = [places[i]!, hashes[i]!];
      if (found[index] === 1 || !this.filter.mayHold(hash, bits[i]!)) continue;
      for (let page = this.#firstPage(hash); page < this.pages && this.#fences[page]! <= hash; page++) {
        const wanted = byPage.get(page);
        if (wanted === undefined) byPage.set(page, [index]);
        else wanted.push(index);
      }
    }
    const waiting = byPage.entries();
    const lane = async () => {
      const page = Buffer.alloc(PAGE_BYTES);
      for (const [number, wanted] of waiting) {
        const held = await this.#readPage(page, number);
        for (const index of wanted) if (isIn(held, keys, index)) found[index] = 1;
      }
    };
    await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, byPage.size) }, lane));
  }

  /** The keys of some pages, one after the other. */
  async read(from: number, to: number): Promise<Uint32Array> {
    const bytes = await readAt(this.#file, { at: from * PAGE_BYTES, length: (to - from) * PAGE_BYTES });
    const keys = new Uint32Array((to - from) * PAGE_KEYS * 4);
    let length = 0;
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const page = keysOf(bytes.subarray(at, at + PAGE_BYTES));
      keys.set(page, length);
      length += page.length;
    }
    return keys.subarray(0, length);
  }

  /** The first page that can hold the hash: equal hashes may begin in the page before the one they fence. */
  #firstPage(hash: number): number {
    let [low, high] = [0, this.pages];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#fences[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  async #readPage(into: Buffer, page: number): Promise<Uint32Array> {
    const { bytesRead } = await this.#file.read(into, 0, PAGE_BYTES, page * PAGE_BYTES);
    if (bytesRead !== PAGE_BYTES) throw new DamagedRun('a page is cut off');
    return keysOf(into);
  }
}

async function readAt(file: FileHandle, { at, length }: { at: number; length: number }): Promise<Buffer> {
  if (at < 0) throw new DamagedRun('it is too short');
  const bytes = Buffer.from(new ArrayBuffer(length));
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), at + done);
    if (bytesRead === 0) throw new DamagedRun('it is cut off');
    done += bytesRead;
  }
  return bytes;
}

function keysOf(page: Buffer): Uint32Array {
  const end = PAGE_KEYS * 16;
  const count = page.readUInt32LE(end);
  if (count > PAGE_KEYS || crc32(page.subarray(0, end + 4)) !== page.readUInt32LE(end + 4)) {
    throw new DamagedRun('a page has another checksum');
  }
  return new Uint32Array(page.buffer, page.byteOffset, count * 4);
}

function isIn(page: Uint32Array, keys: Uint32Array, index: number): boolean {
  const hash = hashAt(keys, index);
  let [low, high] = [0, page.length >>> 2];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const its = hashAt(page, middle);
    const order = its === hash ? compareKeys(page, middle, keys, index) : its - hash;
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}
