import { crc32 } from 'node:zlib';
import { TOKEN_LIFE_MS } from '../kinesis/kinesis.ts';
import { ServiceError } from './service-error.ts';

/** A place in a shard: the first record whose index is `next` or higher. */
export interface IteratorPosition {
  stream: string;
  streamCreatedAt_ms: number;
  shardIndex: number;
  next: number;
}

/**
 * Shard iterators carry all there is to know, so they outlive a restart and may be used as often as wanted. Bytes:
 * version · CRC-32 of what follows · issue time, creation of the stream, next index (f64) · shard (u32) · name.
 */
const VERSION = 1;
const NAME_AT = 33;
const TEXT_CHARS_MAX = 512;

export function issueIterator(position: IteratorPosition, now_ms: number): string {
  const bytes = Buffer.alloc(NAME_AT + position.stream.length);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeDoubleBE(now_ms, 5);
  bytes.writeDoubleBE(position.streamCreatedAt_ms, 13);
  bytes.writeDoubleBE(position.next, 21);
  bytes.writeUInt32BE(position.shardIndex, 29);
  bytes.write(position.stream, NAME_AT, 'latin1');
  bytes.writeUInt32BE(crc32(bytes.subarray(5)), 1);
  return bytes.toString('base64');
}

export function readIterator(text: string, now_ms: number): IteratorPosition {
  const bytes = Buffer.from(text.slice(0, TEXT_CHARS_MAX), 'base64');
  if (bytes.toString('base64') !== text || bytes.length <= NAME_AT || bytes[0] !== VERSION) throw invalid();
  if (crc32(bytes.subarray(5)) !== bytes.readUInt32BE(1)) throw invalid();
  checkAge(bytes.readDoubleBE(5), now_ms);
  return {
    streamCreatedAt_ms: bytes.readDoubleBE(13),
    next: bytes.readDoubleBE(21),
    shardIndex: bytes.readUInt32BE(29),
    stream: bytes.toString('latin1', NAME_AT),
  };
}

function checkAge(issuedAt_ms: number, now_ms: number): void {
  if (now_ms - issuedAt_ms <= TOKEN_LIFE_MS) return;
  throw new ServiceError(
    'ExpiredIteratorException',
    `Iterator expired. The iterator was created at time ${serviceTime(issuedAt_ms)} while right now it is ${serviceTime(now_ms)} which is further in the future than the tolerated delay of ${TOKEN_LIFE_MS} milliseconds.`,
  );
}

/** `Thu Jan 22 01:22:02 UTC 2015` */
function serviceTime(time_ms: number): string {
  const [weekday, day, month, year, time] = new Date(time_ms).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}

function invalid(): ServiceError {
  return new ServiceError('InvalidArgumentException', 'Invalid ShardIterator.');
}
