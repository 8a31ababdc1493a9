import { crc32 } from 'node:zlib';

export const EVENT_STREAM_CONTENT_TYPE = 'application/vnd.amazon.eventstream';

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
const STRING = 7;

/**
 * One message of an event stream, big-endian: its length, the headers' length, CRC-32 of those eight bytes; headers
 * (name's length in one byte, name, type 7, value's length in two, value); payload; CRC-32 of all before.
 */
export function encodeEvent(headers: Readonly<Record<string, string>>, payload: Uint8Array): Buffer {
  const head = Buffer.concat(Object.entries(headers).flatMap(([name, value]) => encodeHeader(name, value)));
  const length = PRELUDE_BYTES + head.length + payload.length + CRC_BYTES;
  const message = Buffer.allocUnsafe(length);
  message.writeUInt32BE(length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  head.copy(message, PRELUDE_BYTES);
  message.set(payload, PRELUDE_BYTES + head.length);
  message.writeUInt32BE(crc32(message.subarray(0, length - CRC_BYTES)), length - CRC_BYTES);
  return message;
}

function encodeHeader(name: string, value: string): Buffer[] {
  const valueLength = Buffer.alloc(2);
  valueLength.writeUInt16BE(Buffer.byteLength(value));
  return [
    Buffer.from([Buffer.byteLength(name)]),
    Buffer.from(name),
    Buffer.from([STRING]),
    valueLength,
    Buffer.from(value),
  ];
}
