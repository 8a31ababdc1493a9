/**
 * The window that drops repeats inside the watermark. A repeat is dropped only for a row that is there: what the
 * window remembers is a function of one snapshot of raw, plus one overlay per commit in flight, probed in commit
 * order. An overlay becomes part of the window when its commit happened, and is discarded, with every later one, when
 * it did not. The window may forget at any time; it may never remember what is not there.
 *
 * Two generations of event time: at least `watermark` and at most twice that is remembered, within `maxIds`.
 */

import type { Identities } from '../engine/engine.ts';
import { hashAt, IdentitySet } from '../event/event.ts';
import type { Judged } from '../tables/tables.ts';

export interface WindowOptions {
  watermark_s: number;
  /**
   * Identities remembered at most, in both generations together; beyond, the older generation is forgotten. Only a
   * batch that is larger than half of it is remembered whole all the same: it is in memory anyway.
   */
  maxIds: number;
}

/** What the window said of one batch. */
export interface Verdict {
  /** Row ids of repeats, in no particular order. */
  drop: Int32Array;
  conflicting: number;
  /** Kept events older than the watermark when they came. */
  late: number;
  overlay: Overlay;
}

/** The identities of one commit that has not been decided yet. */
export interface Overlay {
  readonly fresh: IdentitySet;
  readonly newest_s: number;
}

export class Window {
  readonly #options: WindowOptions;
  #current = new IdentitySet();
  #previous = new IdentitySet();
  #generationStart_s = Number.NEGATIVE_INFINITY;
  #watermark_s = Number.NEGATIVE_INFINITY;
  #overlays: Overlay[] = [];
  #base: Judged;

  /** An empty window on a base; `remember` fills it with rows of that base. */
  constructor(options: WindowOptions, base: Omit<Judged, 'survives'>) {
    this.#options = options;
    this.#base = { ...base, survives: 'appends' };
  }

  /**
   * What the overlay that is first in line was judged against, to be asked when its commit's turn has come: every
   * overlay before it is settled then, and its repeats were dropped for their rows too.
   */
  get base(): Judged {
    return this.#base;
  }

  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** Judges a batch against the window, the overlays before it, and itself; its own overlay joins the line. */
  judge(batch: Identities): Verdict {
    const fresh = new IdentitySet(batch.count);
    const drop = new Int32Array(batch.count);
    let dropped = 0;
    let conflicting = 0;
    let late = 0;
    let newest_s = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < batch.count; i++) {
      const time = batch.times[i]!;
      if (time > newest_s) newest_s = time;
      const hash = hashAt(batch.keys, i);
      const known = this.#contentOf(batch.keys, i, hash);
      if (known === undefined && fresh.add(batch.keys, i, batch.contents[i]!, hash)) {
        if (time < this.#watermark_s - this.#options.watermark_s) late++;
        continue;
      }
      drop[dropped++] = batch.rows[i]!;
      if ((known ?? fresh.contentOf(batch.keys, i, hash)) !== batch.contents[i]) conflicting++;
    }
    const overlay: Overlay = { fresh, newest_s };
    this.#overlays.push(overlay);
    return { drop: drop.subarray(0, dropped), conflicting, late, overlay };
  }

  /** The commit of this overlay is in the table, as this snapshot. Commits happen in order: it is the first in line. */
  settle(overlay: Overlay, snapshot: bigint): void {
    if (this.#overlays[0] !== overlay)
      throw new Error('commits settle in the order in which they were judged');
    this.#overlays.shift();
    this.#makeRoom(overlay.fresh.size);
    if (this.#current.size === 0) this.#current = overlay.fresh;
    else overlay.fresh.addTo(this.#current);
    this.#base = { ...this.#base, snapshot };
    this.#advance(overlay.newest_s);
  }

  /** This commit did not happen (or nobody knows): it and every later batch must be judged again. */
  discard(overlay: Overlay): void {
    const at = this.#overlays.indexOf(overlay);
    if (at >= 0) this.#overlays.length = at;
  }

  /** Remembers a row that is in the table, as the window is rebuilt from it. */
  remember(rows: Identities): void {
    let newest_s = Number.NEGATIVE_INFINITY;
    this.#makeRoom(rows.count);
    for (let i = 0; i < rows.count; i++) {
      this.#current.add(rows.keys, i, rows.contents[i]!);
      newest_s = Math.max(newest_s, rows.times[i]!);
    }
    this.#advance(newest_s);
  }

  #contentOf(keys: Uint32Array, index: number, hash: number): number | undefined {
    for (const { fresh } of this.#overlays) {
      const content = fresh.contentOf(keys, index, hash);
      if (content !== undefined) return content;
    }
    return this.#current.contentOf(keys, index, hash) ?? this.#previous.contentOf(keys, index, hash);
  }

  /** Starts a new generation before the current one would hold more than half of maxIds. */
  #makeRoom(count: number): void {
    if (this.#current.size + count > this.#options.maxIds / 2) this.#startGeneration();
  }

  /** Moves the watermark and starts a new generation when the current one spans it. */
  #advance(newest_s: number): void {
    this.#watermark_s = Math.max(this.#watermark_s, newest_s);
    if (this.#generationStart_s === Number.NEGATIVE_INFINITY) this.#generationStart_s = this.#watermark_s;
    if (this.#watermark_s - this.#generationStart_s >= this.#options.watermark_s) this.#startGeneration();
  }

  #startGeneration(): void {
    this.#previous = this.#current;
    this.#current = new IdentitySet();
    this.#generationStart_s = this.#watermark_s;
  }
}
