/**
 * A session on a Spark Connect server. An operation is the server's: when its connection breaks we attach to it again
 * and take its results from where they stopped; it is asked for once more only when the server has never heard of it.
 * The server's session lives as long as somebody calls; a heartbeat does, also during a long operation.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { backoff, type Clock, Failure } from '../../../base/base.ts';
import { accountOf, isLost, isUnknownOperation, isUnknownSession, sparkFailure } from './failures.ts';
import type { Message, Method, Request, Response } from './messages.ts';
import { parseSparkUrl } from './url.ts';
import { openWire, type Wire } from './wire.ts';

export interface SessionOptions {
  url: string;
  clock: Clock;
  random: () => number;
  newId: () => string;
  /** Connections tried in a row without hearing anything. */
  attempts: number;
  heartbeat_ms: number;
  /** A connection is given up that says nothing for so long, twice (20 s). */
  ping_ms?: number;
}

export interface Operation {
  /** For errors: what it was to do. */
  doing: string;
  signal?: AbortSignal | undefined;
}

export interface Session {
  readonly id: string;
  /** How often an operation was attached to again. */
  readonly reattached: number;
  configure(pairs: Readonly<Record<string, string>>): Promise<void>;
  configured(key: string): Promise<string | undefined>;
  version(): Promise<string>;
  /** Results of a plan in the order they come; ends when the operation has ended. */
  execute(plan: Message<'Plan'>, operation: Operation): AsyncGenerator<Message<'ExecutePlanResponse'>>;
  /** Releases the session on the server, as far as that can be reached, and closes the connection. */
  close(): Promise<void>;
}

const CLIENT = 'lakeward';
const INTERRUPT_OPERATION = 3;
const PAUSE = { first_ms: 50, most_ms: 5_000 };

export function openSession(options: SessionOptions): Session {
  return new ConnectSession(options);
}

class ConnectSession implements Session {
  readonly id: string;
  reattached = 0;
  readonly #options: SessionOptions;
  readonly #origin: string;
  readonly #wire: Wire;
  readonly #ids: { sessionId: string; userContext: { userId: string }; clientType: string };
  readonly #closed = new AbortController();
  /** Which life of the server's session we talk to: after a restart it is another, without our views. */
  #observed: string | undefined;

  constructor(options: SessionOptions) {
    const address = parseSparkUrl(options.url);
    this.#options = options;
    this.#origin = address.origin;
    this.#wire = openWire(address, options);
    this.id = address.sessionId ?? options.newId();
    const userContext = { userId: address.userId ?? 'lakeward' };
    const clientType = address.userAgent === undefined ? CLIENT : `${address.userAgent} ${CLIENT}`;
    this.#ids = { sessionId: this.id, userContext, clientType };
    void this.#beat();
  }

  async configure(pairs: Readonly<Record<string, string>>): Promise<void> {
    const set = { pairs: Object.entries(pairs).map(([key, value]) => ({ key, value })) };
    await this.#call('Config', { ...this.#ids, operation: { set } }, 'configuring the session');
  }

  async configured(key: string): Promise<string | undefined> {
    const operation = { getOption: { keys: [key] } };
    const { pairs = [] } = await this.#call('Config', { ...this.#ids, operation }, `reading ${key}`);
    return pairs[0]?.value || undefined;
  }

  async version(): Promise<string> {
    const asked = { ...this.#ids, sparkVersion: {} };
    return (await this.#call('AnalyzePlan', asked, 'asking for the version')).sparkVersion?.version ?? '';
  }

  async *execute(
    plan: Message<'Plan'>,
    { doing, signal }: Operation,
  ): AsyncGenerator<Message<'ExecutePlanResponse'>> {
    const operation = { ...this.#ids, operationId: this.#options.newId() };
    let ended = false;
    try {
      yield* this.#results(plan, { operation, doing, signal });
      ended = true;
    } finally {
      // Whoever stops early, by an abort or an error of his own, must not leave the operation running.
      if (!ended) await this.#quietly('Interrupt', { ...operation, interruptType: INTERRUPT_OPERATION });
      await this.#quietly('ReleaseExecute', { ...operation, releaseAll: {} });
    }
  }

  async *#results(
    plan: Message<'Plan'>,
    { operation, doing, signal }: Operation & { operation: Request<'ReattachExecute'> },
  ): AsyncGenerator<Message<'ExecutePlanResponse'>> {
    const observed = () => (this.#observed ? { clientObservedServerSideSessionId: this.#observed } : {});
    const begin = () =>
      this.#wire.stream(
        'ExecutePlan',
        { ...operation, ...observed(), plan, requestOptions: [{ reattachOptions: { reattachable: true } }] },
        signal,
      );
    let last: string | undefined;
    let silent = 0;
    let complete = false;
    let stream = begin();
    for (;;) {
      try {
        for await (const response of stream) {
          silent = 0;
          last = response.responseId;
          this.#observed = response.serverSideSessionId || this.#observed;
          if (response.resultComplete === undefined) yield response;
          else complete = true;
        }
        // Read to the stream's own end: left before it, the library's timer of the call keeps the process for minutes.
        if (complete) return;
        // Closed without an end: the server caps a stream at two minutes or a gigabyte.
      } catch (thrown) {
        if (complete) return;
        const error = this.#connectError(thrown, { doing, signal });
        const unknown =
          isUnknownOperation(error) || (this.#observed === undefined && isUnknownSession(error));
        const neverArrived = last === undefined && unknown;
        const again = (neverArrived || isLost(error)) && ++silent < this.#options.attempts;
        if (!again) throw await this.#explained(error, doing);
        await this.#pause(silent);
        if (neverArrived) {
          // Under the same id: should it arrive twice after all, the second is refused.
          stream = begin();
          continue;
        }
      }
      this.reattached++;
      const from = last === undefined ? {} : { lastResponseId: last };
      stream = this.#wire.stream('ReattachExecute', { ...operation, ...observed(), ...from }, signal);
    }
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    await this.#quietly('ReleaseSession', this.#ids);
    this.#closed.abort();
    this.#wire.close();
  }

  async #beat(): Promise<void> {
    const { clock, heartbeat_ms } = this.#options;
    for (;;) {
      await clock.sleep(heartbeat_ms, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
      await this.#quietly('AnalyzePlan', { ...this.#ids, sparkVersion: {} });
    }
  }

  /** Of every such call a second one does no harm. */
  async #call<M extends Method>(method: M, request: Request<M>, doing: string): Promise<Response<M>> {
    for (let silent = 0; ; ) {
      try {
        const answer: { serverSideSessionId?: string } & Response<M> = await this.#wire.call(
          method,
          request,
          this.#closed.signal,
        );
        this.#observed ??= answer.serverSideSessionId || undefined;
        return answer;
      } catch (thrown) {
        const error = this.#connectError(thrown, { doing });
        if (!isLost(error) || ++silent >= this.#options.attempts) throw await this.#explained(error, doing);
        await this.#pause(silent);
      }
    }
  }

  /** What only tidies up. It is tried once: the server gives up by itself what nobody asks for. */
  async #quietly<M extends Method>(method: M, request: Request<M>): Promise<void> {
    await this.#wire.call(method, request, this.#closed.signal).catch(() => {});
  }

  #connectError(thrown: unknown, { doing, signal }: Operation): ConnectError {
    if (signal?.aborted || this.#closed.signal.aborted) {
      throw new Failure(`${doing} was interrupted`, {
        code: 'spark.interrupted',
        fault: 'user',
        retry: 'never',
        cause: thrown,
      });
    }
    return ConnectError.from(thrown, Code.Unknown);
  }

  async #explained(error: ConnectError, doing: string): Promise<Failure> {
    const account = await accountOf(error, (errorId) =>
      this.#wire.call('FetchErrorDetails', { ...this.#ids, errorId }, this.#closed.signal),
    );
    return sparkFailure(doing, { error, account, origin: this.#origin });
  }

  #pause(attempt: number): Promise<void> {
    const { clock, random } = this.#options;
    return clock.sleep(backoff(attempt - 1, { ...PAUSE, random }), this.#closed.signal);
  }
}
