import { Failure } from '../../src/base/base.ts';
import type { PointerCatalog } from '../../src/lake/lake.ts';

/**
 * What happens to one swap (or creation):
 * - ok: nothing unusual.
 * - answer-lost: it is made, and the caller is not told.
 * - request-lost: it is not made, and the caller is not told.
 * - late: not made now and the caller is not told; it arrives right before the next swap.
 * - sent-twice: a proxy on the way sends it twice, and the caller gets the second answer.
 * - turned-away: the catalog says for certain that it did nothing.
 */
export type SwapFault = 'ok' | 'answer-lost' | 'request-lost' | 'late' | 'sent-twice' | 'turned-away';

export interface FaultyCatalog extends PointerCatalog {
  /** Faults of the next swaps or creations, first to last; without one they go well. */
  readonly faults: SwapFault[];
  /** While set, nothing can be loaded. */
  down: boolean;
  /** Runs before each swap reaches the catalog: where another writer gets in between. */
  beforeSwap: ((attempt: number) => Promise<void>) | undefined;
  readonly swaps: number;
}

/** A catalog whose answers get lost: the ways in which a commit's outcome is unknown. */
export function faultyCatalog(inner: PointerCatalog): FaultyCatalog {
  let late: (() => Promise<unknown>) | undefined;
  let swaps = 0;
  const faults: SwapFault[] = [];

  const through = async <T>(send: () => Promise<T>): Promise<T> => {
    await late?.();
    late = undefined;
    switch (faults.shift() ?? 'ok') {
      case 'ok':
        return send();
      case 'answer-lost':
        await send();
        throw unknown('the connection broke after the request was sent');
      case 'request-lost':
        throw unknown('the connection broke before the request arrived');
      case 'late':
        late = send;
        throw unknown('timed out');
      case 'sent-twice':
        await send();
        return send();
      case 'turned-away':
        throw new Failure('the catalog is overloaded', {
          code: 'catalog.busy',
          fault: 'service',
          retry: 'backoff',
        });
    }
  };

  const faulty: FaultyCatalog = {
    faults,
    down: false,
    beforeSwap: undefined,
    get swaps() {
      return swaps;
    },
    async load(name) {
      if (faulty.down) {
        throw new Failure('the catalog does not answer', {
          code: 'catalog.unreachable',
          fault: 'service',
          retry: 'backoff',
        });
      }
      return inner.load(name);
    },
    list: () => inner.list(),
    create: (name, location) => through(() => inner.create(name, location)),
    async swap(name, move) {
      swaps++;
      await faulty.beforeSwap?.(swaps);
      return through(() => inner.swap(name, move));
    },
    close: () => inner.close(),
  };
  return faulty;
}

function unknown(why: string): Failure {
  return new Failure('the catalog gave no answer', {
    code: 'catalog.unknown',
    fault: 'service',
    retry: 'refresh',
    why,
  });
}
