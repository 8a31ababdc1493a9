import { backoff, Failure, retrying } from '../../base/base.ts';
import type { Table } from '../lake.ts';
import type { CommitPorts } from './ports.ts';

const RELOADS_MOST = 8;
const RELOAD_BACKOFF = { first_ms: 100, most_ms: 10_000 };

/** After an answer other than success: the table as it is now, asked for as long as it takes within bounds. */
export async function reload(ports: CommitPorts, name: string): Promise<Table> {
  const { clock, random } = ports;
  const table = await retrying({ attempts: RELOADS_MOST, clock, random, ...RELOAD_BACKOFF }, () =>
    ports.versions.load(name).catch((error: unknown) => {
      throw mayRecover(error);
    }),
  );
  if (table !== undefined) return table;
  throw new Failure(`the table ${name} is gone`, {
    code: 'lake.table_gone',
    fault: 'user',
    why: 'it was dropped from the catalog while a commit to it was under way',
  });
}

/** Any trouble in a reload is worth another try: giving up here leaves a commit's fate open. */
function mayRecover(error: unknown): Failure {
  if (error instanceof Failure && error.retry === 'backoff') return error;
  return new Failure('cannot reload the table', {
    code: error instanceof Failure ? error.code : 'lake.reload_failed',
    fault: error instanceof Failure ? error.fault : 'service',
    retry: 'backoff',
    why: error instanceof Error ? error.message : String(error),
    cause: error,
  });
}

/** Waits before the next attempt; the first one comes soon. */
export async function pause({ clock, random }: CommitPorts, attempt: number): Promise<void> {
  await clock.sleep(backoff(attempt, { first_ms: 50, most_ms: 5_000, random }));
}
