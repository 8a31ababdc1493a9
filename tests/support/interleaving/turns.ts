/**
 * Who goes next: everything that an actor asks of store, catalog and clock waits for its turn, and a seeded choice
 * grants one at a time. Work in between (encoding, compressing) runs to its end before the next choice, so that one
 * seed is one order of events.
 */
export class Turns {
  readonly #random: () => number;
  readonly #waiting: { actor: string; go: () => void }[] = [];
  readonly #alive = new Set<string>();
  taken = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Resolves when it is this actor's turn. */
  turn(actor: string): Promise<void> {
    return new Promise((go) => this.#waiting.push({ actor, go }));
  }

  /** Work that nobody waits for, at some later turn. */
  late(work: () => Promise<unknown>): void {
    this.#waiting.push({ actor: '', go: () => void work().catch(() => {}) });
  }

  /** Runs all of them to their ends. The first failure is thrown, after all have ended or wait for ever. */
  async run(actors: ReadonlyMap<string, () => Promise<void>>): Promise<void> {
    const failures: unknown[] = [];
    for (const [name, act] of actors) {
      this.#alive.add(name);
      void this.turn(name)
        .then(act)
        .catch((error: unknown) => failures.push(error))
        .finally(() => this.#alive.delete(name));
    }
    for (;;) {
      await this.#quiet(failures);
      if (failures.length > 0) throw failures[0];
      if (this.#alive.size === 0 && this.#waiting.length === 0) return;
      const at = Math.floor(this.#random() * this.#waiting.length);
      const [next] = this.#waiting.splice(at, 1);
      this.taken++;
      next!.go();
    }
  }

  /** Until every actor that lives waits for a turn. */
  async #quiet(failures: readonly unknown[]): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (failures.length > 0) return;
      const waiting = new Set(this.#waiting.map(({ actor }) => actor));
      if ([...this.#alive].every((actor) => waiting.has(actor))) return;
    }
  }
}
