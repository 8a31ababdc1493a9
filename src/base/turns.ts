/** One at a time, in the order in which they came; a failure is its own caller's, and holds up nobody. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Once everything that was asked until now has ended. */
  async over(): Promise<void> {
    await this.#last;
  }
}
