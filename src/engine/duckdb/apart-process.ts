/** The process behind apart.ts: tries one batch out, tells what came of it, and ends. */
import { tryOutHere } from '../try-out.ts';
import type { TriedOut, TryOut } from './apart.ts';
import { engineFailure, openDuckDb } from './duckdb.ts';

// Nobody is left who would ask.
process.once('disconnect', () => process.exit());
process.once('message', async (asked: TryOut) => {
  // Not closed: an engine that failed may not end well, and its process is over now.
  process.send!(await tryOut(asked), () => process.exit());
});

async function tryOut({ engine, spool, limits }: TryOut): Promise<TriedOut> {
  try {
    await tryOutHere(await openDuckDb(engine), spool, limits);
    return {};
  } catch (error) {
    // A full disk is one here too.
    const { message, code, fault, retry, why, hint, docs } = engineFailure(error, 'trying out a batch');
    const told = { ...(why && { why }), ...(hint && { hint }), ...(docs && { docs }) };
    return { failure: { message, code, fault, retry, ...told } };
  }
}
