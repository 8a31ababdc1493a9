interface Waiting {
  amount: number;
  begin: () => void;
}

/** At most `capacity` units (requests, bytes) are held at once; who does not fit waits, and is served in order. */
export class Budget {
  readonly #capacity: number;
  readonly #line: Waiting[] = [];
  #held = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** What asks for more than there is runs alone. */
  async holding<T>(asked: number, action: () => Promise<T>): Promise<T> {
    const amount = Math.min(asked, this.#capacity);
    if (this.#line.length > 0 || this.#held + amount > this.#capacity)
      await new Promise<void>((begin) => this.#line.push({ amount, begin }));
    else this.#held += amount;
    try {
      return await action();
    } finally {
      this.#held -= amount;
      this.#serveNext();
    }
  }

  #serveNext(): void {
    for (let next = this.#line[0]; next && this.#held + next.amount <= this.#capacity; next = this.#line[0]) {
      this.#line.shift();
      this.#held += next.amount;
      next.begin();
    }
  }
}
