/** Messages of an event stream out of the bytes as they come; the layout is that of event-stream.ts. */
import { crc32 } from 'node:zlib';

const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;
const STRING = 7;
/** An event is at most a GetRecords answer: 10 MiB of data as base64, and envelopes. */
const MESSAGE_BYTES_MAX = 64 << 20;

export interface EventMessage {
  headers: Readonly<Record<string, string>>;
  /** In an ArrayBuffer of its own, so that it can move to a worker. */
  payload: Buffer<ArrayBuffer>;
}

export class EventStreamError extends Error {}

/** Throws EventStreamError when the bytes are none, or end within a message: that message is not given. */
export async function* readEvents(chunks: AsyncIterable<Buffer>): AsyncGenerator<EventMessage> {
  let waiting: Buffer[] = [];
  let size = 0;
  let wanted = PRELUDE_BYTES;
  for await (const chunk of chunks) {
    waiting.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      const bytes = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
      const length = messageLength(bytes);
      if (size >= length) {
        yield messageIn(bytes.subarray(0, length));
        waiting = [bytes.subarray(length)];
        size -= length;
        wanted = PRELUDE_BYTES;
      } else {
        waiting = [bytes];
        wanted = length;
      }
    }
  }
  if (size > 0) throw new EventStreamError('the event stream ended within a message');
}

function messageLength(bytes: Buffer): number {
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw new EventStreamError('a damaged prelude');
  const length = bytes.readUInt32BE(0);
  const least = PRELUDE_BYTES + bytes.readUInt32BE(4) + CRC_BYTES;
  if (length < least || length > MESSAGE_BYTES_MAX)
    throw new EventStreamError(`a message of ${length} bytes`);
  return length;
}

function messageIn(message: Buffer): EventMessage {
  const end = message.length - CRC_BYTES;
  if (crc32(message.subarray(0, end)) !== message.readUInt32BE(end))
    throw new EventStreamError('a damaged message');
  const headersEnd = PRELUDE_BYTES + message.readUInt32BE(4);
  const payload = Buffer.allocUnsafeSlow(end - headersEnd);
  message.copy(payload, 0, headersEnd, end);
  return { headers: headersIn(message.subarray(PRELUDE_BYTES, headersEnd)), payload };
}

function headersIn(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes[at]!;
    if (bytes[nameEnd] !== STRING) throw new EventStreamError('a header that is no text');
    const valueStart = nameEnd + 3;
    const valueEnd = valueStart + bytes.readUInt16BE(nameEnd + 1);
    headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', valueStart, valueEnd);
    at = valueEnd;
  }
  return headers;
}
