import { ERROR_STATUS, type KinesisErrorName } from '../kinesis/kinesis.ts';

/** An answer of the service that is an error: its name, its message, and the HTTP status that goes with the name. */
export class ServiceError extends Error {
  readonly kind: KinesisErrorName;

  constructor(kind: KinesisErrorName, message?: string) {
    super(message);
    this.kind = kind;
  }

  get status(): number {
    return ERROR_STATUS[this.kind];
  }

  /** The service spells the member differently for errors of its parser. */
  shape(): object {
    const member = this.kind === 'SerializationException' ? 'Message' : 'message';
    return { __type: this.kind, ...(this.message !== '' && { [member]: this.message }) };
  }
}

export function internalFailure(): ServiceError {
  return new ServiceError('InternalFailureException', 'Internal Service Failure');
}
