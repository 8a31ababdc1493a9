import type { Spool, Taking } from '../stream/stream.ts';

/**
 * The next spool, or the failure that the signal's reason is, whichever comes first; a spool that comes after it is
 * nobody's any more. Each wait has a promise of its own: one that is raced again and again and never settles keeps what
 * every race gave, here every spool of a session that goes on for weeks.
 */
export async function nextSpool(
  taking: Pick<Taking, 'next'>,
  failed: AbortSignal,
): Promise<Spool | undefined> {
  failed.throwIfAborted();
  const next = taking.next();
  const failure = Promise.withResolvers<never>();
  const fail = () => failure.reject(failed.reason);
  failed.addEventListener('abort', fail, { once: true });
  try {
    return await Promise.race([next, failure.promise]);
  } catch (error) {
    void next.then(
      (spool) => spool?.[Symbol.asyncDispose](),
      () => {},
    );
    throw error;
  } finally {
    failed.removeEventListener('abort', fail);
  }
}
