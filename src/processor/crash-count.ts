/**
 * Over the sessions of a processor: when the engine failed on batches three times, or so many processes ended with the
 * batch in hand, batches are searched for records that crash it before they are judged, until some were found or the
 * search has found nothing for a while.
 */
const CRASHES = 3;
const CLEAN_BATCHES = 20;

export class CrashCount {
  #crashes = 0;
  #clean = 0;

  get cornering(): boolean {
    return this.#crashes >= CRASHES;
  }

  crashed(): void {
    this.#crashes++;
    this.#clean = 0;
  }

  /** So many processes ended without a word with the batch in hand that comes next. */
  died(processes: number): void {
    if (processes <= this.#crashes) return;
    this.#crashes = processes;
    this.#clean = 0;
  }

  /** A batch was committed that had been searched, with so many records cornered. */
  committed(cornered: number): void {
    if (!this.cornering) return;
    if (cornered > 0 || ++this.#clean >= CLEAN_BATCHES) this.#crashes = 0;
  }
}
