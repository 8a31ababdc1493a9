import { type Clock, Failure } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';

const WRITTEN_MOST_MS = 86_400_000;

/**
 * What a commit refers to was written less than a day before it is sent: a third of the time after which a removal of
 * orphans, also that of another program, takes what no snapshot names.
 */
export const mayBeGone = (clock: Clock, writtenAt_ms: number): boolean =>
  clock.now() - writtenAt_ms > WRITTEN_MOST_MS;

/** Writes a file whose name is fresh; one that is there already is not touched, whoever wrote it. */
export async function writeNew(store: ObjectStore, location: string, bytes: Uint8Array): Promise<void> {
  if (await store.writeIfAbsent(location, bytes)) return;
  throw new Failure(`cannot write ${location}`, {
    code: 'lake.name_taken',
    fault: 'ourselves',
    retry: 'backoff',
    why: 'a file of this name exists, though its name is random',
    hint: 'check that no two processes are given the same random numbers',
  });
}
