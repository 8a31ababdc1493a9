import type { Answer } from './answer.ts';

export const CBOR_CONTENT_TYPE = 'application/x-amz-cbor-1.1';

/**
 * Clients that speak CBOR (the Java SDKs, unless told otherwise) cannot read an error in another encoding: they would
 * report a broken parser instead of what is wrong.
 */
export function cborRefusal(): Answer {
  const error = {
    __type: 'UnknownOperationException',
    message: 'The embedded stream speaks JSON. Switch CBOR off: CBOR_ENABLED=false, or AWS_CBOR_DISABLE=1.',
  };
  const members = Object.entries(error).flat().map(cborText);
  return {
    status: 400,
    contentType: CBOR_CONTENT_TYPE,
    body: Buffer.concat([Buffer.from([0xa2]), ...members]),
  };
}

/** A text string (major type 3) of fewer than 256 bytes. */
function cborText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const head = bytes.length < 24 ? [0x60 | bytes.length] : [0x78, bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]);
}
