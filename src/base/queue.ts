/**
 * A queue between a producer and a consumer that holds at most `limit` items: a full queue makes the producer wait,
 * which is how pressure travels back to the stream.
 */
export class BoundedQueue<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  readonly #takers: PromiseWithResolvers<T | undefined>[] = [];
  readonly #putters: PromiseWithResolvers<void>[] = [];
  #closed = false;
  #failure: unknown;
  #last: unknown;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Resolves once there is room. False when the queue was closed meanwhile: the item was not taken. */
  async put(item: T): Promise<boolean> {
    while (!this.#closed && this.#items.length >= this.#limit) {
      const room = Promise.withResolvers<void>();
      this.#putters.push(room);
      await room.promise;
    }
    if (this.#closed) return false;
    const taker = this.#takers.shift();
    if (taker) taker.resolve(item);
    else this.#items.push(item);
    return true;
  }

  /** The next item, or undefined once the queue is closed and empty. Throws what `fail` was given. */
  async take(): Promise<T | undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    const item = this.#items.shift();
    if (item !== undefined) {
      this.#putters.shift()?.resolve();
      return item;
    }
    if (this.#closed) return this.#ended();
    const taker = Promise.withResolvers<T | undefined>();
    this.#takers.push(taker);
    return taker.promise;
  }

  /** With an error the consumer gets that, behind the items, in place of undefined. */
  close(error?: unknown): void {
    this.#closed = true;
    this.#last = error;
    for (const taker of this.#takers.splice(0)) taker.resolve(this.#ended());
    for (const putter of this.#putters.splice(0)) putter.resolve();
  }

  /** Ends the queue with an error that the consumer gets, before any item. */
  fail(error: unknown): void {
    this.#failure = error;
    for (const taker of this.#takers.splice(0)) taker.reject(error);
    this.close();
  }

  /** What is behind the last item. */
  async #ended(): Promise<undefined> {
    if (this.#last !== undefined) throw this.#last;
  }
}
