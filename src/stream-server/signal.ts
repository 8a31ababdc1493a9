/** Calls those who listen, each time that something changed. */
export class Signal {
  readonly #listeners = new Set<() => void>();

  /** Returns what ends the listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fire(): void {
    for (const listener of this.#listeners) listener();
  }
}
