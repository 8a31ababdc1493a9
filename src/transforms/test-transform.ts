/**
 * A transform without a lake: events go through the engine's own judgement into files of a folder that is gone
 * afterwards, and the query over them as in a run, a day at a time where days are what it computes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../base/base.ts';
import {
  type Engine,
  type JudgedBatch,
  type LocalFile,
  openEngine,
  type SourceView,
  sqlType,
  type WrittenFile,
} from '../engine/engine.ts';
import { IdentitySet, REASONS } from '../event/event.ts';
import type { Field } from '../lake/lake.ts';
import { QUARANTINE } from '../tables/tables.ts';
import type { Transform } from './define.ts';
import { viewOf } from './define.ts';
import { outputFields } from './mart.ts';
import { inOrder } from './order.ts';
import { reachOf } from './partitions.ts';
import { eventSource } from './sources.ts';
import type { Row, TestOptions } from './transforms.ts';

type Event = Readonly<Record<string, unknown>>;

/** What a table holds during a test. */
interface Held {
  fields: readonly Field[];
  day: string | undefined;
  files: readonly LocalFile[];
}

export async function rowsOf(
  transform: Transform,
  events: readonly Event[],
  { upstream = [] }: TestOptions,
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-test-'));
  const engine = await openEngine({ workFolder: join(folder, 'engine'), memory_bytes: 512e6, threads: 1 });
  try {
    const staged = await stage(engine, { events, spool: join(folder, 'events.parquet') });
    const marts = new Map<string, Held>();
    for (const each of inOrder([...upstream, transform])) {
      marts.set(each.name, await compute(engine, each, { staged, marts }));
    }
    return await read(engine, marts.get(transform.name)!);
  } finally {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };

/** Files of the events that staging would hold. The engine keeps them until it is closed. */
async function stage(
  engine: Engine,
  { events, spool }: { events: readonly Event[]; spool: string },
): Promise<readonly LocalFile[]> {
  if (events.length === 0) return [];
  await writeSpool(engine, { events, spool });
  const batch = await engine.judge({ path: spool, shards: ['test'], stream: 'test' }, LIMITS);
  if (batch.rejected > 0) throw await rejection(engine, batch, events);
  return onDisk(await batch.writeEvents(await repeats(batch)));
}

/** The embedded engine leaves every file on disk. */
const onDisk = (files: readonly WrittenFile[]): LocalFile[] =>
  files.filter((file) => file.localPath !== undefined);

async function writeSpool(
  engine: Engine,
  { events, spool }: { events: readonly Event[]; spool: string },
): Promise<void> {
  const rows = events.map((event, i) => {
    const document = JSON.stringify({ event_uuid: `event ${i + 1}`, ...event });
    return `(encode(${quoted(document)}), ${quoted(String(i + 1))}, ${arrival_ms(event)}::bigint, 0::integer, -1::integer)`;
  });
  const result = await engine.query(
    `copy (from (values ${rows.join(', ')}) as spool(body, seq, arrived_ms, shard, sub)) to ${quoted(spool)} (format parquet)`,
  );
  for await (const _ of result.chunks());
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A second after it was made, so that no event lies in its own future. */
function arrival_ms({ created_at: at }: Event): number {
  const made = typeof at === 'string' ? Date.parse(at) : Number(at);
  const unit = typeof at === 'string' || Math.abs(made) >= 1e11 ? 1 : 1000;
  const ms = Math.abs(made) >= 1e14 ? made / 1000 : made * unit;
  return Number.isFinite(ms) && Math.abs(ms) < 8e15 ? Math.floor(ms) + 1000 : 0;
}

async function repeats(batch: JudgedBatch): Promise<Int32Array> {
  const { count, rows, keys, contents } = await batch.identities();
  const seen = new IdentitySet(count);
  const drop: number[] = [];
  for (let i = 0; i < count; i++) if (!seen.add(keys, i, contents[i]!)) drop.push(rows[i]!);
  return Int32Array.from(drop);
}

async function rejection(engine: Engine, batch: JudgedBatch, events: readonly Event[]): Promise<Failure> {
  const held = { fields: QUARANTINE.schema.fields, files: onDisk(await batch.writeRejected()) };
  const [first] = await all(engine, held, 'sequence_number::integer as n, reason');
  const number = Number(first?.['n']);
  const reason = REASONS.find(({ code }) => code === first?.['reason']);
  return new Failure(`event ${number} of the test would go to quarantine`, {
    code: 'transform.test_event',
    fault: 'user',
    why: `${reason?.code}: ${reason?.meaning}`,
    hint: `mend it: ${JSON.stringify(events[number - 1])}`,
    docs: 'docs/reference/reasons.md',
  });
}

async function compute(
  engine: Engine,
  transform: Transform,
  { staged, marts }: { staged: readonly LocalFile[]; marts: ReadonlyMap<string, Held> },
): Promise<Held> {
  const { name, sql, partition } = transform;
  const views = viewsOf(transform, { staged, marts });
  const fields = await outputFields(
    engine,
    transform,
    views.map((view) => ({ ...view, files: [] })),
  );
  const query = { name, table: `marts.${name}` as const, sql, fields };
  if (transform.mode === 'append') {
    const answer = await engine.transform({
      ...query,
      views,
      ...(partition === undefined ? {} : { partition: { column: partition } }),
    });
    return { fields, day: partition, files: onDisk(answer.files) };
  }
  const files: LocalFile[] = [];
  const { before, after } = reachOf({ transform });
  for (const day of daysOf([...staged, ...[...marts.values()].flatMap((held) => held.files)], {
    before,
    after,
  })) {
    const within = { first: day - before, last: day + after };
    const answer = await engine.transform({
      ...query,
      views: views.map(({ column, ...view }) => ({
        ...view,
        ...(column && { days: { column, ...within } }),
      })),
      partition: { column: partition!, only: { day, within } },
    });
    files.push(...onDisk(answer.files));
  }
  return { fields, day: partition, files };
}

function viewsOf(
  { from }: Transform,
  { staged, marts }: { staged: readonly LocalFile[]; marts: ReadonlyMap<string, Held> },
) {
  const names = from.filter((source) => typeof source === 'string');
  const events = names.length === 0 ? undefined : eventSource(names, undefined);
  const ofEvents = (events?.views ?? []).map(({ name, anyOf }) => ({
    name,
    fields: events!.fields,
    files: staged.map(asLakeFile),
    column: events!.day?.name,
    ...(anyOf && { anyOf }),
  }));
  const ofMarts = from.flatMap((source) => {
    if (typeof source === 'string') return [];
    const { fields, day, files } = marts.get(source.mart)!;
    return [{ name: viewOf(source), fields, files: files.map(asLakeFile), column: day }];
  });
  return [...ofEvents, ...ofMarts];
}

/** Days that any of the files can give rows to. */
function daysOf(files: readonly LocalFile[], { before, after }: { before: number; after: number }): number[] {
  const days = new Set<number>();
  for (const { file } of files) {
    const held = file.partition[0];
    if (typeof held !== 'number') continue;
    for (let day = held - after; day <= held + before; day++) days.add(day);
  }
  return [...days].sort((a, b) => a - b);
}

function read(engine: Engine, held: Held): Promise<Row[]> {
  return all(engine, held, '*');
}

async function all(engine: Engine, held: Pick<Held, 'fields' | 'files'>, columns: string): Promise<Row[]> {
  const view = {
    schema: 'test',
    name: 'rows',
    columns: held.fields.map(({ id, name, type }) => ({ id, name, type: sqlType(type) })),
    files: held.files.map(asLakeFile),
  };
  await engine.defineViews([view]);
  const answer = await engine.query(`select ${columns} from test.rows order by all`);
  const rows: Row[] = [];
  for await (const chunk of answer.chunks()) {
    for (const row of chunk)
      rows.push(Object.fromEntries(answer.columns.map(({ name }, i) => [name, row[i] ?? null])));
  }
  return rows;
}

const asLakeFile = ({ localPath, file }: LocalFile): SourceView['files'][number] => ({
  location: `file://${localPath}`,
  fileSize: file.fileSize,
});
