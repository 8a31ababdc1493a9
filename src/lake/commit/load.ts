import { gunzipSync } from 'node:zlib';
import { backoff, Failure, retrying } from '../../base/base.ts';
import type { LakeOptions, Table } from '../lake.ts';
import { parseMetadata } from '../table/metadata.ts';

type Ports = Required<LakeOptions>;

const READS_MOST = 5;

/**
 * Reads what the catalog points at. Between the two a busy table's old metadata files may have been deleted: the
 * catalog is then asked again, as long as it points elsewhere each time.
 */
export async function loadTable(
  { catalog, store }: Pick<Ports, 'catalog' | 'store'>,
  name: string,
  known?: Table,
): Promise<Table | undefined> {
  let tried: string | undefined;
  for (let reads = 0; ; reads++) {
    const pointer = await catalog.load(name);
    if (pointer === undefined) return undefined;
    const { metadataLocation } = pointer;
    // A metadata file never changes.
    if (metadataLocation === known?.metadataLocation) return known;
    try {
      const bytes = await store.read(metadataLocation);
      const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
      const text = Buffer.from(gzipped ? gunzipSync(bytes) : bytes).toString('utf8');
      return { name, metadata: parseMetadata(text, metadataLocation), metadataLocation };
    } catch (error) {
      const missing = error instanceof Failure && error.code === 'object_store.not_found';
      if (!missing || metadataLocation === tried || reads + 1 >= READS_MOST) throw error;
      tried = metadataLocation;
    }
  }
}

const RELOADS_MOST = 8;
const RELOAD_BACKOFF = { first_ms: 100, most_ms: 10_000 };

/** After an answer other than success: the table as it is now, asked for as long as it takes within bounds. */
export async function reload(ports: Ports, name: string): Promise<Table> {
  const { clock, random } = ports;
  const table = await retrying({ attempts: RELOADS_MOST, clock, random, ...RELOAD_BACKOFF }, () =>
    loadTable(ports, name).catch((error: unknown) => {
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
export async function pause({ clock, random }: Ports, attempt: number): Promise<void> {
  await clock.sleep(backoff(attempt, { first_ms: 50, most_ms: 5_000, random }));
}
