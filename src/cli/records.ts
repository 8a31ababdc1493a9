/**
 * Records of files, as bytes: NDJSON (a line a record, whatever is on it), one JSON array (an element a record), each
 * also gzipped. Nothing is parsed: judging a record is the processor's job, and a line that is not UTF-8 must arrive
 * as it is.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Failure } from '../base/base.ts';
import { RECORD_BYTES_MAX } from '../kinesis/kinesis.ts';

export interface Source {
  name: string;
  /** Size on disk, for progress; undefined for stdin. */
  bytes: number | undefined;
  open(): Readable;
}

export async function fileSource(path: string): Promise<Source> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Failure(`cannot read ${path}`, {
      code: 'send.no_file',
      fault: 'user',
      why: cause.code === 'ENOENT' ? 'there is no such file' : cause.message,
      hint: 'name an NDJSON or JSON file, or - for stdin',
      docs: 'lakeward send --help',
      cause,
    });
  });
  if (info.isDirectory()) {
    throw new Failure(`cannot read ${path}`, {
      code: 'send.no_file',
      fault: 'user',
      why: 'it is a folder',
      hint: 'name the files in it',
      docs: 'lakeward send --help',
    });
  }
  return { name: path, bytes: info.size, open: () => createReadStream(path, { highWaterMark: 1 << 20 }) };
}

/** `onBytes` gets the bytes read from the source so far. */
export async function* recordsOf(
  source: Source,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  const stream = source.open();
  try {
    const packed = await beginningOf(counted(stream, onBytes), (head) => head.length >= 4);
    refuseOthers(packed.head, source.name);
    const gzipped = packed.head[0] === 0x1f && packed.head[1] === 0x8b;
    const unpacked = gzipped ? gunzipped(packed.all, source.name) : packed.all;
    const { head, all } = await beginningOf(unpacked, tellsFormat);
    if (OVER_LINES.test(firstText(head))) throw otherForm(source.name, SPREAD);
    const parts = new Parts(source.name);
    yield* isArray(head) ? elements(all, parts) : lines(all, parts);
  } finally {
    stream.destroy();
  }
}

/** By their first bytes, files that hold events in another form: sent as they are, all of it would be quarantined. */
const OTHERS: readonly (readonly [string, { is: string; fix: string }])[] = [
  ['28b52ffd', { is: 'packed with zstd', fix: 'zstd -dc FILE | lakeward send -' }],
  ['425a68', { is: 'packed with bzip2', fix: 'bzip2 -dc FILE | lakeward send -' }],
  ['fd377a58', { is: 'packed with xz', fix: 'xz -dc FILE | lakeward send -' }],
  ['504b0304', { is: 'a zip archive', fix: 'unzip -p FILE | lakeward send -' }],
  ['50415231', { is: 'a Parquet file', fix: 'write its rows as JSON, one a line' }],
  ...['fffe7b00', 'fffe5b00', 'feff007b', 'feff005b'].map(
    (head) => [head, { is: 'UTF-16 text', fix: 'iconv -f UTF-16 -t UTF-8 FILE | lakeward send -' }] as const,
  ),
];

/** No event is a line of `{` alone: an object that is written over several lines, which each would be quarantined. */
const OVER_LINES = /^\s*\{[ \t]*\r?\n/;
const SPREAD = { is: 'an object over several lines', fix: 'jq -c . FILE | lakeward send -' };

function refuseOthers(head: Buffer, name: string): void {
  const found = OTHERS.find(([bytes]) => head.toString('hex', 0, 4).startsWith(bytes));
  if (found !== undefined) throw otherForm(name, found[1]);
}

function otherForm(name: string, { is, fix }: { is: string; fix: string }): Failure {
  return new Failure(`cannot send ${name}: it is ${is}`, {
    code: 'send.other_format',
    fault: 'user',
    why: 'what is read is UTF-8 JSON, one record a line or one array, as it is or gzipped; nothing of it was sent',
    hint: fix,
    docs: 'lakeward send --help',
  });
}

async function* counted(stream: Readable, onBytes: (count: number) => void): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    count += chunk.length;
    onBytes(count);
    yield chunk;
  }
}

/** The first bytes in one piece, as many as are enough, and everything from the beginning. Chunks may be of any size. */
async function beginningOf(
  chunks: AsyncGenerator<Buffer>,
  enough: (head: Buffer) => boolean,
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  let head: Buffer = Buffer.alloc(0);
  while (!enough(head)) {
    const turn = await chunks.next();
    if (turn.done) break;
    head = head.length === 0 ? turn.value : Buffer.concat([head, turn.value]);
  }
  return { head, all: startingWith(head, chunks) };
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const marked = first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf;
  yield marked ? first.subarray(3) : first;
  yield* rest;
}

async function* gunzipped(chunks: AsyncGenerator<Buffer>, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const feeding = (async () => {
    for await (const chunk of chunks) {
      if (!gunzip.write(chunk)) await new Promise((resolve) => gunzip.once('drain', resolve));
    }
    gunzip.end();
  })().catch((error: Error) => gunzip.destroy(error));
  try {
    yield* gunzip as AsyncIterable<Buffer>;
    await feeding;
  } catch (cause) {
    throw new Failure(`cannot unpack ${name}`, {
      code: 'send.bad_gzip',
      fault: 'user',
      why: cause instanceof Error ? cause.message : String(cause),
      hint: 'the file is cut off or damaged; what came before was sent',
      docs: 'lakeward send --help',
      cause,
    });
  }
}

const [NEWLINE, RETURN, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x0d, 0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

const HEAD_BYTES = 4096;

/** Without the mark that some editors put before UTF-8. */
const firstText = (head: Buffer): string =>
  head
    .subarray(0, HEAD_BYTES)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');

const firstCharacters = (head: Buffer): string => firstText(head).replace(/[ \t\r\n]+/g, '');

const tellsFormat = (head: Buffer): boolean => head.length >= HEAD_BYTES || firstCharacters(head).length >= 2;

/** A file that is one array of objects begins with `[` and `{` (or `]`); a line such as `[1,2]` is a record. */
function isArray(head: Buffer): boolean {
  const [first, second] = firstCharacters(head);
  return first === '[' && (second === '{' || second === ']');
}

/** The pieces of a record that lies across chunks, up to what a stream can take at all: memory stays bounded. */
class Parts {
  readonly #name: string;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > RECORD_BYTES_MAX) throw tooLong(this.#name);
    this.#parts.push(part);
  }

  /** The record that ends with this piece. */
  endWith(part: Buffer): Buffer {
    if (this.#bytes === 0) return part;
    this.add(part);
    const whole = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return whole;
  }
}

function tooLong(name: string): Failure {
  return new Failure(`a record of ${name} is too long`, {
    code: 'send.record_too_long',
    fault: 'user',
    why: `it has more than ${RECORD_BYTES_MAX} bytes, and no stream takes more; what came before was sent`,
    hint: 'a file has one record a line, or is one JSON array of objects',
    docs: 'lakeward send --help',
  });
}

async function* lines(chunks: AsyncIterable<Buffer>, parts: Parts): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = withoutReturn(parts.endWith(chunk.subarray(from, end)));
      from = end + 1;
      if (!isBlank(line)) yield line;
    }
    if (from < chunk.length) parts.add(chunk.subarray(from));
  }
  const last = withoutReturn(parts.endWith(Buffer.alloc(0)));
  if (!isBlank(last)) yield last;
}

/** Looked at as a whole only where it begins like one. */
const isBlank = (line: Buffer): boolean => line.length === 0 || (blank(line[0]) && trim(line).length === 0);

const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === RETURN ? line.subarray(0, -1) : line);

/** Cuts the elements of one top-level array by depth, outside strings. What comes after the array are lines. */
async function* elements(chunks: AsyncGenerator<Buffer>, parts: Parts): AsyncGenerator<Uint8Array> {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  for (let turn = await chunks.next(); !turn.done; turn = await chunks.next()) {
    const chunk = turn.value;
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (quoted) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) quoted = false;
        continue;
      }
      if (byte === QUOTE) quoted = true;
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
        depth++;
        if (depth === 1) from = i + 1;
      } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT || byte === COMMA) {
        const ends = byte === COMMA ? depth === 1 : depth-- === 1;
        if (!ends) continue;
        const text = trim(parts.endWith(chunk.subarray(from, i)));
        from = i + 1;
        if (text.length > 0) yield text;
        if (depth > 0) continue;
        yield* lines(startingWith(chunk.subarray(from), chunks), parts);
        return;
      }
    }
    if (depth > 0 && from < chunk.length) parts.add(chunk.subarray(from));
  }
  // A file that was cut off: what is left of its last element is a record like any other damaged one.
  const left = trim(parts.endWith(Buffer.alloc(0)));
  if (left.length > 0) yield left;
}

const blank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === NEWLINE || byte === RETURN;

function trim(bytes: Buffer): Buffer {
  let from = 0;
  let to = bytes.length;
  while (from < to && blank(bytes[from])) from++;
  while (to > from && blank(bytes[to - 1])) to--;
  return bytes.subarray(from, to);
}
