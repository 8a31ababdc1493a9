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
  return { name: path, bytes: info.size, open: () => createReadStream(path, { highWaterMark: 1 << 20 }) };
}

/** `onBytes` gets the bytes read from the source so far. */
export async function* recordsOf(
  source: Source,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  const raw = counted(source.open(), onBytes);
  const first = await raw.next();
  if (first.done) return;
  const all = startingWith(first.value, raw);
  const gzipped = first.value[0] === 0x1f && first.value[1] === 0x8b;
  const chunks = gzipped ? gunzipped(all, source.name) : all;
  const head = await chunks.next();
  if (head.done) return;
  const whole = startingWith(head.value, chunks);
  yield* isArray(head.value) ? elements(whole) : lines(whole);
}

async function* counted(stream: Readable, onBytes: (count: number) => void): AsyncGenerator<Buffer> {
  let count = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    count += chunk.length;
    onBytes(count);
    yield chunk;
  }
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
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

/** A file that is one array of objects begins with `[` and `{` (or `]`); a line such as `[1,2]` is a record. */
function isArray(head: Buffer): boolean {
  const [first, second] = head.subarray(0, 4096).toString('latin1').replace(/\s+/g, '');
  return first === '[' && (second === '{' || second === ']');
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end < 0) break;
      const line = chunk.subarray(from, end);
      const whole = rest.length === 0 ? line : Buffer.concat([...rest, line]);
      rest = [];
      from = end + 1;
      const trimmed = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
      if (trimmed.length > 0) yield trimmed;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield last;
}

/** Cuts the elements of one top-level array by depth, outside strings. */
async function* elements(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
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
        const element = Buffer.concat([...parts, chunk.subarray(from, i)]);
        parts = [];
        from = i + 1;
        const text = trim(element);
        if (text.length > 0) yield text;
      }
    }
    if (depth > 0 && from < chunk.length) parts.push(chunk.subarray(from));
  }
  // A file that was cut off: what is left of its last element is a record like any other damaged one.
  const left = trim(Buffer.concat(parts));
  if (left.length > 0) yield left;
}

function trim(bytes: Buffer): Buffer {
  const blank = (byte: number | undefined) =>
    byte === 0x20 || byte === 0x09 || byte === NEWLINE || byte === RETURN;
  let from = 0;
  let to = bytes.length;
  while (from < to && blank(bytes[from])) from++;
  while (to > from && blank(bytes[to - 1])) to--;
  return bytes.subarray(from, to);
}
