/** Writes a run: identities in the order of their hashes, each once; durable when it is finished. */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { hashAt } from '../../event/event.ts';
import { filterBits, IdentityFilter } from './filter.ts';
import { FOOTER_BYTES, MAGIC, PAGE_BYTES, PAGE_KEYS } from './run.ts';

/** Pages written in one go. */
const PAGES_AT_ONCE = 256;

export class RunWriter {
  readonly #file: FileHandle;
  readonly #filter: IdentityFilter;
  readonly #fences: number[] = [];
  readonly #pages = Buffer.alloc(PAGES_AT_ONCE * PAGE_BYTES);
  readonly #words = new Uint32Array(this.#pages.buffer, this.#pages.byteOffset, this.#pages.length / 4);
  /** Of the page that is being filled. */
  #count = 0;
  #page = 0;
  #keys = 0;

  private constructor(file: FileHandle, filter: IdentityFilter) {
    this.#file = file;
    this.#filter = filter;
  }

  /** `keys`: how many come at most; `bits`: of the filter, for each. */
  static async create(path: string, size: { keys: number; bits: number }): Promise<RunWriter> {
    return new RunWriter(await open(path, 'wx'), IdentityFilter.sized(size));
  }

  /** The next keys, in order. */
  async write(keys: Uint32Array): Promise<void> {
    for (let index = 0; index < keys.length >>> 2; index++) {
      this.#put(keys, index);
      if (this.#page === PAGES_AT_ONCE) await this.#flush();
    }
  }

  #put(keys: Uint32Array, index: number): void {
    const hash = hashAt(keys, index);
    if (this.#count === 0) this.#fences.push(hash);
    this.#filter.add(hash, filterBits(keys, index));
    const to = (this.#page * PAGE_BYTES) / 4 + this.#count * 4;
    const from = index << 2;
    for (let word = 0; word < 4; word++) this.#words[to + word] = keys[from + word]!;
    this.#keys++;
    if (++this.#count === PAGE_KEYS) this.#endPage();
  }

  #endPage(): void {
    const page = this.#pages.subarray(this.#page * PAGE_BYTES, (this.#page + 1) * PAGE_BYTES);
    const end = PAGE_KEYS * 16;
    page.fill(0, this.#count * 16, end);
    page.writeUInt32LE(this.#count, end);
    page.writeUInt32LE(crc32(page.subarray(0, end + 4)), end + 4);
    this.#count = 0;
    this.#page++;
  }

  async #flush(): Promise<void> {
    await this.#file.writeFile(this.#pages.subarray(0, this.#page * PAGE_BYTES));
    this.#page = 0;
  }

  async finish(): Promise<void> {
    if (this.#count > 0) this.#endPage();
    await this.#flush();
    const rest = Buffer.concat([bytesOf(Uint32Array.from(this.#fences)), bytesOf(this.#filter.words)]);
    const footer = Buffer.alloc(FOOTER_BYTES);
    MAGIC.copy(footer);
    footer.writeDoubleLE(this.#keys, 8);
    footer.writeUInt32LE(this.#fences.length, 16);
    footer.writeUInt32LE(this.#filter.words.length, 20);
    footer.writeUInt32LE(crc32(rest), 24);
    await this.#file.writeFile(Buffer.concat([rest, footer]));
    await this.#file.sync();
    await this.#file.close();
  }

  async abandon(): Promise<void> {
    await this.#file.close();
  }
}

const bytesOf = (words: Uint32Array) => Buffer.from(words.buffer, words.byteOffset, words.byteLength);
