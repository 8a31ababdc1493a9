import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identityOf, REASONS } from '../../event/event.ts';
import { type Engine, type Identities, openEngine, type WrittenFile } from '../engine.ts';

const ARRIVED_MS = Date.UTC(2026, 0, 2);
const LIMITS = { minTime_s: Date.UTC(2000, 0, 1) / 1000, maxAhead_s: 48 * 3600 };

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'judge-'));
  engine = await openEngine({ workFolder: join(folder, 'work'), memory_bytes: 1e9, threads: 1 });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

/** A spool as the stream module hands it over, made by the engine's own Parquet writer. */
async function spool(records: readonly (string | Uint8Array)[], arrivals: readonly number[] = []) {
  const path = join(folder, `${crypto.randomUUID()}.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  const lines = records.map((r, i) =>
    JSON.stringify({ h: Buffer.from(r as Uint8Array).toString('hex'), a: arrivals[i] ?? ARRIVED_MS }),
  );
  await writeFile(`${path}.json`, lines.join('\n'));
  await c.run(`copy (select from_hex(h) as body, (1000 + row_number() over ())::varchar as seq, a::bigint as arrived_ms,
      0::int as shard, -1::int as sub
    from read_json('${path}.json', columns = {h: 'VARCHAR', a: 'BIGINT'}, format = 'newline_delimited',
      maximum_object_size = 20000000)) to '${path}' (format parquet)`);
  instance.closeSync();
  return { path, shards: ['shardId-000000000000'], stream: 'arn:x@1' };
}

async function read(files: readonly WrittenFile[], columns: string): Promise<unknown[][]> {
  if (files.length === 0) return [];
  const paths = files.map((f) => `'${f.localPath}'`).join(', ');
  const result = await engine.query(
    `select ${columns} from read_parquet([${paths}]) order by sequence_number`,
  );
  const rows: unknown[][] = [];
  for await (const chunk of result.chunks()) rows.push(...(chunk as unknown[][]));
  return rows;
}

async function judged(records: readonly (string | Uint8Array)[]) {
  await using batch = await engine.judge(await spool(records), LIMITS);
  const events = await read(
    await batch.writeEvents(new Int32Array(0)),
    'event_uuid, event_name, event_type, event_subtype, created_at, epoch_us(created_datetime) us, document',
  );
  const rejected = await read(await batch.writeRejected(), 'hex(bytes), reason');
  return { events, rejected };
}

const event = (fields: Record<string, unknown>) =>
  JSON.stringify({ event_uuid: 'u', event_name: 'a:b', created_at: 1_700_000_000, ...fields });

describe('every reason of the table', () => {
  for (const reason of REASONS) {
    it(`gives ${reason.code} to its examples and keeps their bytes`, async () => {
      const { rejected, events } = await judged(reason.examples);
      expect(events).toEqual([]);
      expect(rejected).toEqual(
        reason.examples.map((r) => [
          Buffer.from(r as Uint8Array)
            .toString('hex')
            .toUpperCase(),
          reason.code,
        ]),
      );
    });
  }
});

describe('what is an event', () => {
  it('takes name apart and keeps the document byte for byte', async () => {
    const text =
      ' {"event_uuid":"U-1", "event_name":"payment:order:completed","created_at":1700000000.25,"n":1.50} ';
    const { events } = await judged([text]);
    expect(events).toEqual([
      ['U-1', 'payment:order:completed', 'payment', 'order', 1_700_000_000.25, 1_700_000_000_250_000, text],
    ]);
  });

  it('accepts a name without a colon, with a null subtype', async () => {
    const { events } = await judged([event({ event_name: 'ping' })]);
    expect(events[0]?.slice(1, 4)).toEqual(['ping', 'ping', null]);
  });

  it('takes the digits of an integer as the identity, however long', async () => {
    const { events } = await judged([
      '{"event_uuid":12345678901234567890123,"event_name":"a","created_at":1700000000}',
      '{"event_uuid":-7,"event_name":"a","created_at":1700000000}',
    ]);
    expect(events.map((e) => e[0])).toEqual(['12345678901234567890123', '-7']);
  });

  it('lets the first of duplicate keys count, also when written with escapes', async () => {
    const { events } = await judged([
      '{"event\\u005fuuid":"first","event_uuid":"second","event_name":"a","created_at":1700000000}',
    ]);
    expect(events[0]?.[0]).toBe('first');
  });

  it.each([
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
    ['2023-11-14t22:13:20z', 1_700_000_000],
    ['2023-11-14', 1_699_920_000],
  ])('reads created_at %j as %d', async (created_at, seconds) => {
    const { events } = await judged([event({ created_at })]);
    expect(events[0]?.slice(4, 6)).toEqual([seconds, Math.round(seconds * 1e6)]);
  });

  it('accepts both ends of the time limits and rejects what lies a microsecond beyond', async () => {
    const latest = ARRIVED_MS / 1000 + LIMITS.maxAhead_s;
    const { events, rejected } = await judged([
      event({ created_at: LIMITS.minTime_s }),
      event({ created_at: latest }),
      event({ created_at: LIMITS.minTime_s - 1e-6 }),
      event({ created_at: latest + 1e-3 }),
    ]);
    expect(events.length).toBe(2);
    expect(rejected.map((r) => r[1])).toEqual(['absurd_created_at', 'absurd_created_at']);
  });

  it('keeps deep, large and NUL-bearing documents', async () => {
    const deep = event({ d: 0 }).replace('"d":0', `"d":${'{"n":'.repeat(1000)}1${'}'.repeat(1000)}`);
    const large = event({ d: 'x'.repeat(900_000) });
    const nul = '{"event_uuid":"n","event_name":"a","created_at":1700000000,"s":"a\\u0000b"}';
    const { events } = await judged([deep, large, nul]);
    expect(events.map((e) => e[6])).toEqual([deep, large, nul]);
  });

  it('is not misled by what only looks lenient inside strings', async () => {
    const text = event({ s: 'NaN, ] , } inf "quoted\\" ,]' });
    expect((await judged([text])).events[0]?.[6]).toBe(text);
  });

  it('survives names that no file system takes', async () => {
    const names = [
      'x'.repeat(5000),
      '__HIVE_DEFAULT_PARTITION__',
      '../../etc',
      'naïve/日本 %2F',
      'a\u0000b',
      '.',
    ];
    const { events } = await judged(names.map((event_name) => event({ event_name })));
    expect(events.map((e) => e[1])).toEqual(names);
  });
});

describe('identities', () => {
  const vectors = [
    '0b6a3f5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b',
    '0B6A3F5E-1C2D-4E3F-8A9B-0C1D2E3F4A5B',
    'plain',
    '42',
    'ünï',
    '',
  ];

  it('agree with identityOf, in the order of arrival', async () => {
    const texts = vectors.slice(0, 5);
    const input = await spool(
      texts.map((event_uuid) => event({ event_uuid })),
      [5, 4, 3, 2, 1].map((d) => ARRIVED_MS + d),
    );
    await using batch = await engine.judge(input, LIMITS);
    const identities = await batch.identities();
    expect([...identities.rows]).toEqual([4, 3, 2, 1, 0]);
    expect(hexOf(identities)).toEqual([...texts].reverse().map(identityOf));
  });

  it('agree with identityOf for whatever nearly is a UUID', async () => {
    const digit = fc.constantFrom(...'0123456789abcdefABCDEF', 'g', '-', '{', 'é');
    const shaped = fc
      .tuple(...[8, 4, 4, 4, 12].map((n) => fc.string({ unit: digit, minLength: n - 1, maxLength: n + 1 })))
      .map((parts) => parts.join('-'));
    const texts = fc.sample(
      fc.oneof(
        fc.uuid(),
        shaped,
        fc.uuid().map((u) => u.toUpperCase()),
      ),
      {
        seed: 36,
        numRuns: 2_000,
      },
    );
    const input = await spool(
      texts.map((event_uuid) => event({ event_uuid })),
      texts.map((_, i) => ARRIVED_MS + i),
    );
    await using batch = await engine.judge(input, LIMITS);
    const identities = await batch.identities();
    expect(hexOf(identities)).toEqual(texts.map(identityOf));
  });

  it('drop the rows they are told to drop and write the rest by day and type', async () => {
    const input = await spool([
      event({ event_uuid: '1', event_name: 'a:x' }),
      event({ event_uuid: '2', event_name: 'b:x' }),
      event({ event_uuid: '3', event_name: 'a:y', created_at: 1_700_100_000 }),
    ]);
    await using batch = await engine.judge(input, LIMITS);
    const files = await batch.writeEvents(new Int32Array([1]));
    expect(files.map((f) => [f.file.partition, f.file.recordCount, f.hint]).sort()).toEqual([
      [[19675, 'a'], 1, 'created_datetime_day=2023-11-14/event_type=a'],
      [[19677, 'a'], 1, 'created_datetime_day=2023-11-16/event_type=a'],
    ]);
    expect(files[0]?.file.lowerBounds.get(3)).toBe('a');
    expect(files[0]?.file.nullValueCounts.get(11)).toBe(1);
  });
});

/** DuckDB stores a UUID with its top bit flipped, low half first. */
function hexOf({ keys, count }: Identities): string[] {
  return Array.from({ length: count }, (_, i) => {
    const [w0, w1, w2, w3] = keys.subarray(i * 4, i * 4 + 4) as unknown as [number, number, number, number];
    return [w3 ^ 0x80000000, w2, w1, w0].map((w) => (w >>> 0).toString(16).padStart(8, '0')).join('');
  });
}
