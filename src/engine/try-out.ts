import type { EventLimits, JudgedBatch, SpoolInput } from './batch.ts';

interface Judges {
  judge(spool: SpoolInput, limits: EventLimits): Promise<JudgedBatch>;
}

/** Everything that an engine does with a batch's records, to see whether it can; nothing of it is kept. */
export async function tryOutHere(engine: Judges, spool: SpoolInput, limits: EventLimits): Promise<void> {
  await using batch = await engine.judge(spool, limits);
  await batch.identities();
  await batch.writeEvents(new Int32Array());
  await batch.writeRejected();
}
