import { GET_RECORDS_BYTES_MAX, type SequenceNumberSeries } from '../kinesis/kinesis.ts';
import { FRAME_HEADER_BYTES, frameArrival_ms, frameIndex, frameKeyLength } from './frame.ts';

const HEAD = '{"Records":[';
/** Of one record, all but its data and key: names, number, time, punctuation. */
const ENVELOPE_BYTES_MAX = 256;
/** A control character of one byte becomes `\u0000`. */
const ESCAPED_BYTES_MAX = 6;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The JSON of a GetRecords answer, written as bytes straight from the log's: no object for a record. Building objects
 * and stringifying them takes 1.9 µs a record, this 0.87 µs (300 bytes each).
 */
export class RecordsBody {
  readonly #numbers: SequenceNumberSeries;
  readonly #limit: number;
  #buffer: Buffer;
  #length: number;
  #payload_bytes = 0;
  count = 0;
  lastIndex = 0;
  lastArrival_ms = 0;

  constructor(numbers: SequenceNumberSeries, { limit, room_bytes }: { limit: number; room_bytes: number }) {
    this.#numbers = numbers;
    this.#limit = limit;
    this.#buffer = Buffer.allocUnsafe(room_bytes);
    this.#length = this.#buffer.write(HEAD, 0, 'latin1');
  }

  /** Adds the frame that begins at `at`, unless the answer is full. */
  add(frames: Buffer, at: number, length: number): 'next' | 'stop' {
    const payload_bytes = length - FRAME_HEADER_BYTES;
    if (this.count >= this.#limit) return 'stop';
    if (this.count > 0 && this.#payload_bytes + payload_bytes > GET_RECORDS_BYTES_MAX) return 'stop';
    const keyLength = frameKeyLength(frames, at);
    const keyAt = at + FRAME_HEADER_BYTES;
    this.#makeRoom(ENVELOPE_BYTES_MAX + Math.ceil(payload_bytes / 3) * 4 + keyLength * ESCAPED_BYTES_MAX);
    this.lastIndex = frameIndex(frames, at);
    this.lastArrival_ms = frameArrival_ms(frames, at);
    this.#text(
      `${this.count === 0 ? '' : ','}{"SequenceNumber":"${this.#numbers.text(this.lastIndex, this.lastArrival_ms)}","ApproximateArrivalTimestamp":${this.lastArrival_ms / 1000},"Data":"`,
    );
    this.#text(frames.toString('base64', keyAt + keyLength, at + length));
    this.#text('","PartitionKey":');
    this.#key(frames, keyAt, keyLength);
    this.#buffer[this.#length++] = 0x7d;
    this.#payload_bytes += payload_bytes;
    this.count++;
    return 'next';
  }

  /** `rest` are the members behind Records, with the closing brace. */
  finish(rest: string): Buffer {
    this.#makeRoom(1 + Buffer.byteLength(rest));
    this.#text(']');
    this.#length += this.#buffer.write(rest, this.#length, 'utf8');
    return this.#buffer.subarray(0, this.#length);
  }

  #text(ascii: string): void {
    this.#length += this.#buffer.write(ascii, this.#length, 'latin1');
  }

  #key(frames: Buffer, at: number, length: number): void {
    const start = this.#length;
    const into = this.#buffer;
    into[start] = QUOTE;
    let to = start + 1;
    for (let from = at; from < at + length; from++) {
      const byte = frames[from]!;
      if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) {
        const escaped = JSON.stringify(frames.toString('utf8', at, at + length));
        this.#length = start + into.write(escaped, start, 'utf8');
        return;
      }
      into[to++] = byte;
    }
    into[to] = QUOTE;
    this.#length = to + 1;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
