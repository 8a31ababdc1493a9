/**
 * What a lake holds against what its stream acknowledged, counted by another way than the product's own `verify`:
 * rows are read from the tables' files, expectations from the bytes that were put.
 */
import type { Engine } from '../../src/engine/engine.ts';
import { tallyBalances } from '../../src/event/event.ts';
import { QUARANTINE_NAME, RAW_NAME, STAGING_NAME, tableState } from '../../src/tables/tables.ts';
import type { Worker } from './worker.ts';

/** Where rows are counted. */
export type Audited = Pick<Worker, 'lake'> & { engine: Engine };

/** Everything that was ever put and could be read. */
export interface Acknowledged {
  readonly acknowledged: readonly { body: Uint8Array }[];
}

export interface Audit {
  /** event_uuid of acknowledged events that staging does not hold. */
  missing: string[];
  /** Held by staging more than once. */
  doubled: string[];
  /** Held by staging, and nobody put them. */
  strange: string[];
  /** Stream positions that stand in raw more than once. */
  takenTwice: number;
  /** Rejected records that quarantine does not hold, or holds too often, by number. */
  quarantineOff: number;
  /** What does not agree in raw's ledger. */
  ledger: string[];
}

/** Nothing lost, nothing doubled, everything accounted for. */
export const WHOLE: Audit = {
  missing: [],
  doubled: [],
  strange: [],
  takenTwice: 0,
  quarantineOff: 0,
  ledger: [],
};

export async function audit(worker: Audited, stream: Acknowledged): Promise<Audit> {
  const expected = new Set(stream.acknowledged.map(uuidOf).filter((uuid) => uuid !== undefined));
  const staged = (await rows(worker, STAGING_NAME, 'lower(event_uuid), count(*)', 'group by 1')) as [
    string,
    number,
  ][];
  const held = new Set(staged.map(([uuid]) => uuid));
  return {
    missing: [...expected].filter((uuid) => !held.has(uuid)).sort(),
    doubled: staged.filter(([, count]) => Number(count) > 1).map(([uuid]) => uuid),
    strange: [...held].filter((uuid) => !expected.has(uuid)),
    takenTwice: (await rows(worker, RAW_NAME, POSITION, `group by ${POSITION} having count(*) > 1`)).length,
    quarantineOff: await quarantineOff(worker, stream.acknowledged),
    ledger: await ledgerFindings(worker, stream),
  };
}

const POSITION = 'stream, shard_id, sequence_number, subsequence_number';

async function quarantineOff(worker: Audited, records: Acknowledged['acknowledged']): Promise<number> {
  const rejected = records.filter((record) => uuidOf(record) === undefined).map(({ body }) => hex(body));
  const held = (await rows(worker, QUARANTINE_NAME, 'hex(bytes)')).map(([bytes]) => String(bytes));
  const counts = new Map<string, number>();
  for (const bytes of rejected) counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  for (const bytes of held) counts.set(bytes, (counts.get(bytes) ?? 0) - 1);
  return [...counts.values()].reduce((off, count) => off + Math.abs(count), 0);
}

async function ledgerFindings(worker: Audited, stream: Acknowledged): Promise<string[]> {
  const raw = await worker.lake.load(RAW_NAME);
  if (raw === undefined) return ['there is no raw table'];
  const { ledger } = tableState(raw);
  const [[held] = []] = await rows(worker, RAW_NAME, 'count(*)');
  const { received, written, removed, foreign } = ledger;
  const put = stream.acknowledged.length;
  return [
    ...(received === put ? [] : [`received ${received} of ${put}`]),
    ...(tallyBalances(ledger) ? [] : ['received is not written + duplicate + quarantined']),
    ...(Number(held ?? 0) === written - removed + foreign
      ? []
      : [`raw holds ${held}, the ledger says ${written}`]),
  ];
}

/** Of the current files of a table; nothing where there is no table or no file. */
export async function rows(
  { lake, engine }: Audited,
  name: string,
  columns: string,
  rest = '',
): Promise<unknown[][]> {
  const table = await lake.load(name);
  const { files } = table === undefined ? { files: [] } : await lake.files(table);
  if (files.length === 0) return [];
  const paths = files.map(({ location }) => `'${lake.store.localPath(location)}'`);
  const result = await engine.query(
    `select ${columns} from read_parquet([${paths.join(', ')}], hive_partitioning = false) ${rest}`,
  );
  const found: unknown[][] = [];
  for await (const chunk of result.chunks()) found.push(...(chunk as unknown[][]));
  return found;
}

/** Undefined for what is no event; the scenarios put events and text that is no JSON, nothing in between. */
function uuidOf({ body }: Acknowledged['acknowledged'][number]): string | undefined {
  try {
    return (
      JSON.parse(Buffer.from(body).toString('utf8')) as { event_uuid: string }
    ).event_uuid.toLowerCase();
  } catch {
    return undefined;
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();
