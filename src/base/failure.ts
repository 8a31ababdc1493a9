/** Whose problem it is: the user's to mend, a service's that we depend on, or a bug of ours. */
export type Fault = 'user' | 'service' | 'ourselves';

/** What a caller may do: give up, try the same again later, or look at the world anew and then decide. */
export type Retry = 'never' | 'backoff' | 'refresh';

export interface FailureDetails {
  /** Stable, machine-readable, e.g. `stream.not_found`. */
  code: string;
  fault: Fault;
  retry?: Retry;
  /** Why it happened, one line. */
  why?: string;
  /** What the reader can do about it, one line. */
  hint?: string;
  /** Where to read on: a path under docs/ or an address. */
  docs?: string;
  cause?: unknown;
}

/** The one error type that crosses module boundaries. The message says what was attempted and did not work. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly fault: Fault;
  readonly retry: Retry;
  readonly why: string | undefined;
  readonly hint: string | undefined;
  readonly docs: string | undefined;

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.fault = details.fault;
    this.retry = details.retry ?? 'never';
    this.why = details.why;
    this.hint = details.hint;
    this.docs = details.docs;
  }
}
