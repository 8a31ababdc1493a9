import { encodeEvent } from '../kinesis/kinesis.ts';
import { CONTENT_TYPES, type Encoding, encode } from './encoding.ts';
import type { ServiceError } from './service-error.ts';

/** What an operation answers that goes on: messages, and the end of waiting for a reader that does not take them. */
export class EventStream {
  readonly frames: AsyncIterable<Buffer>;
  /** Aborted when there is nothing more to come but what explains the end. */
  readonly over: AbortSignal;
  /** The reader has left. */
  readonly cancel: () => void;

  constructor({ frames, over, cancel }: Pick<EventStream, 'frames' | 'over' | 'cancel'>) {
    this.frames = frames;
    this.over = over;
    this.cancel = cancel;
  }
}

/** Some clients give up when it is not there. */
export function initialResponse(encoding: Encoding): Buffer {
  return eventFrame('initial-response', Buffer.from(encode({}, encoding)), encoding);
}

export function eventFrame(type: string, payload: Buffer, encoding: Encoding): Buffer {
  return encodeEvent(
    { ':message-type': 'event', ':event-type': type, ':content-type': CONTENT_TYPES[encoding] },
    payload,
  );
}

export function exceptionFrame(error: ServiceError, encoding: Encoding): Buffer {
  const headers = {
    ':message-type': 'exception',
    ':exception-type': error.kind,
    ':content-type': CONTENT_TYPES[encoding],
  };
  return encodeEvent(headers, Buffer.from(encode({ message: error.message }, encoding)));
}
