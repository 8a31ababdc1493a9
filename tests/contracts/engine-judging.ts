/** What the processor relies on, whichever engine judges the records of a batch and writes them. */
import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../src/base/base.ts';
import type { SpoolInput, WrittenFile } from '../../src/engine/engine.ts';
import { REASONS } from '../../src/event/event.ts';
import { QUARANTINE_NAME, RAW_NAME } from '../../src/tables/tables.ts';
import { audit, rows, WHOLE } from '../support/audit.ts';
import { loaded } from '../support/edited-table.ts';
import { event } from '../support/events.ts';
import { ScriptedStream } from '../support/scripted-stream.ts';
import { writeSpoolFile } from '../support/spool-file.ts';
import { watched } from '../support/watched-engine.ts';
import { lakeFolder, openWorker } from '../support/worker.ts';
import type { OpenEngine } from './engine-staging.ts';

export type Records = readonly (string | Uint8Array)[];

const ARRIVED_MS = Date.UTC(2026, 0, 2);
const EVENT =
  'event_uuid, event_name, event_type, event_subtype, created_at, epoch_us(created_datetime), document';
const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };

/** What became of each record, in their order: the columns of an event, or the reason and its bytes. */
export async function judgedBy(
  open: OpenEngine,
  records: Records,
  crashed: Pick<SpoolInput, 'crashed' | 'crashedAt'> = {},
): Promise<unknown[][]> {
  const folder = await lakeFolder();
  const worker = await openWorker({ folder, stream: new ScriptedStream() });
  // There is nothing to process, but the tables are there then.
  await worker.process();
  const engine = await open(folder);
  const spool = await writeSpoolFile(
    folder,
    records.map((body, i) => ({
      body: typeof body === 'string' ? Buffer.from(body) : body,
      ...{ sequenceNumber: BigInt(i), arrived_ms: ARRIVED_MS, shard: 0 },
    })),
  );
  await using batch = await engine.judge(
    { path: spool.path, shards: ['shard'], stream: 'stream', ...crashed },
    LIMITS,
  );
  expect(batch.records).toBe(records.length);
  const read = async (files: readonly WrittenFile[], columns: string) => {
    const paths = files.map((it) => `'${it.localPath ?? worker.lake.store.localPath(it.file.location)}'`);
    const sql = `select sequence_number::int, ${columns} from read_parquet([${paths}], hive_partitioning = false)`;
    const found: unknown[][] = [];
    if (files.length === 0) return found;
    for await (const chunk of (await worker.engine.query(sql)).chunks())
      found.push(...(chunk as unknown[][]));
    return found;
  };
  const found = [
    ...(batch.events === 0 ? [] : await read(await batch.writeEvents(new Int32Array(0)), EVENT)),
    ...(await read(await batch.writeRejected(), 'reason, hex(bytes)')),
  ];
  return found.sort(([a], [b]) => Number(a) - Number(b)).map((row) => row.slice(1));
}

const record = (fields: Record<string, unknown>) =>
  JSON.stringify({ event_uuid: 'u', event_name: 'a:b', created_at: 1_700_000_000, ...fields });
const hex = (bytes: string | Uint8Array) =>
  Buffer.from(bytes as Uint8Array)
    .toString('hex')
    .toUpperCase();

/** created_at as sent → Unix seconds. */
const TIMES: readonly [unknown, number][] = [
  [1_700_000_000, 1_700_000_000],
  [1_700_000_000_123, 1_700_000_000.123],
  [1_700_000_000_123_456, 1_700_000_000.123456],
  ['1700000000', 1_700_000_000],
  ['1.7e9', 1_700_000_000],
  ['1700000000123', 1_700_000_000.123],
  ['2023-11-14T22:13:20Z', 1_700_000_000],
  ['2023-11-14 22:13:20', 1_700_000_000],
  ['2023-11-15T00:13:20.5+02:00', 1_700_000_000.5],
  ['2023-11-15T00:13:20+0200', 1_700_000_000],
  ['2023-11-14t22:13:20,25z', 1_700_000_000.25],
  ['2023-11-14', 1_699_920_000],
];

export function judgingContract(open: OpenEngine): void {
  test('every example of the table of reasons gets its reason and keeps its bytes', async () => {
    const examples = REASONS.flatMap(({ code, examples }) => examples.map((bytes) => [bytes, code] as const));
    expect(
      await judgedBy(
        open,
        examples.map(([bytes]) => bytes),
      ),
    ).toEqual(examples.map(([bytes, code]) => [code, hex(bytes)]));
  });

  test('records on which an engine failed are rejected as that, known by row or by place, and no others', async () => {
    const records = ['one', 'two', 'three', 'four'].map((event_uuid) => record({ event_uuid }));
    const at = { shard: 'shard', sequenceNumber: '2', subsequenceNumber: null };
    const others = [
      { ...at, subsequenceNumber: 0 },
      { ...at, sequenceNumber: '3', subsequenceNumber: 1 },
      { ...at, sequenceNumber: '0', shard: 'another' },
    ];
    const judged = await judgedBy(open, records, { crashed: [1], crashedAt: [at, ...others] });
    expect(judged.map(([uuidOrReason]) => uuidOrReason)).toEqual([
      ...['one', 'crashed_engine', 'crashed_engine', 'four'],
    ]);
    expect(judged[2]).toEqual(['crashed_engine', hex(records[2]!)]);
  });

  test('an event is taken apart, and its document kept byte for byte', async () => {
    const text =
      ' {"event_uuid":"U-1", "event_name":"payment:order:completed","created_at":1700000000.25,"n":1.50} ';
    const names = ['ping', 'empty:', 'a::c', 'a\u0000b:x', 'naïve/日本 %2F:"'];
    expect(await judgedBy(open, [text, ...names.map((event_name) => record({ event_name }))])).toEqual([
      ...[
        ['U-1', 'payment:order:completed', 'payment', 'order', 1_700_000_000.25, 1_700_000_000_250_000, text],
      ],
      ...names.map((name) => {
        const [type, subtype] = name.split(':');
        return [
          'u',
          name,
          type,
          subtype || null,
          1_700_000_000,
          1_700_000_000_000_000,
          record({ event_name: name }),
        ];
      }),
    ]);
  });

  test('of a key that comes twice the first counts, also when it is null or written with escapes', async () => {
    const rest = '"event_name":"a","created_at":1700000000}';
    const judged = await judgedBy(open, [
      `{"event\\u005fuuid":"first","event_uuid":"second",${rest}`,
      `{"event_uuid":7,"event_uuid":"x",${rest}`,
      `{"event_uuid":null,"event_uuid":"x",${rest}`,
      `{"event_uuid":"x","d":{"event_uuid":1,"event_uuid":2},${rest}`,
    ]);
    expect(judged.map(([first]) => first)).toEqual(['first', '7', 'no_event_uuid', 'x']);
  });

  test('times are read in every form that is documented', async () => {
    const judged = await judgedBy(
      open,
      TIMES.map(([created_at]) => record({ created_at })),
    );
    expect(judged.map((row) => row.slice(4, 6))).toEqual(
      TIMES.map(([, seconds]) => [seconds, Math.round(seconds * 1e6)]),
    );
  });

  test('records are tried out without anything coming into a table, and what does not work is said', async () => {
    const stream = new ScriptedStream();
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream });
    await worker.process();
    const engine = await open(folder);
    const heads = () =>
      Promise.all(
        [RAW_NAME, QUARANTINE_NAME].map(async (name) => (await loaded(worker.lake, name)).metadata.refs),
      );
    const before = await heads();
    const spool = await writeSpoolFile(
      folder,
      [event(1), 'no JSON'].map((body, i) => ({
        body: Buffer.from(body),
        ...{ sequenceNumber: BigInt(i), arrived_ms: ARRIVED_MS, shard: 0 },
      })),
    );
    const input = { path: spool.path, shards: ['shard'], stream: 'stream' };
    await engine.tryOut(input, LIMITS);
    expect(await heads()).toEqual(before);
    await rm(spool.path);
    await expect(engine.tryOut(input, LIMITS)).rejects.toBeInstanceOf(Failure);
  });

  test('repeats inside the watermark are dropped, and everything is accounted for', async () => {
    const stream = new ScriptedStream({ shards: 2 });
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream, engine: watched(await open(folder)) });
    stream.put([event(1), event(2), event(1, { note: 'again' }), 'no JSON', event(3)]);
    stream.script.push({ rows: 3 });
    await worker.process();
    stream.put([event(3), event(4)]);
    await worker.process();
    const positions = await rows(worker, RAW_NAME, 'document, shard_id', 'order by event_uuid');
    expect(positions.map(([document]) => document)).toEqual([1, 2, 3, 4].map((n) => event(n)));
    await worker.stage();
    expect(await audit(worker, stream)).toEqual(WHOLE);
  });
}
