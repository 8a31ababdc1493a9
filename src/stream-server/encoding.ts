import { isUtf8 } from 'node:buffer';
import { CBOR_CONTENT_TYPE, decodeCbor, encodeCbor, JSON_CONTENT_TYPE } from '../kinesis/kinesis.ts';

/** How a request is written, and with it its answer, be it an error: a client reads no other. */
export type Encoding = 'json' | 'cbor';

export const CONTENT_TYPES: Record<Encoding, string> = { json: JSON_CONTENT_TYPE, cbor: CBOR_CONTENT_TYPE };

/** Undefined for what is no encoding of the service. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  switch ((contentType ?? '').split(';')[0]!.trim().toLowerCase()) {
    case JSON_CONTENT_TYPE:
      return 'json';
    case CBOR_CONTENT_TYPE:
      return 'cbor';
    default:
      return undefined;
  }
}

export function encode(value: object, encoding: Encoding): string | Buffer {
  return encoding === 'json' ? JSON.stringify(value) : encodeCbor(value);
}

/** Throws an error of whatever kind when the bytes are not of the encoding. */
export function decode(body: Buffer, encoding: Encoding): unknown {
  if (encoding === 'cbor') return decodeCbor(body);
  if (!isUtf8(body)) throw new SyntaxError('not UTF-8');
  return JSON.parse(body.toString('utf8'));
}
