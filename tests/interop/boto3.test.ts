/** The embedded stream as programs in Python use Kinesis: boto3, unchanged, over plain HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog, systemClock } from '../../src/base/base.ts';
import { openStreamServer, type StreamServer } from '../../src/stream-server/stream-server.ts';
import { describeWith, pythonWith } from '../support/python.ts';

interface Seen {
  description: Record<string, unknown>;
  pages: string[][];
  listed: string[][];
  'listing ends': boolean;
  streams: string[][];
  put: Record<string, unknown>;
  iterators: Record<string, boolean>;
  errors: Record<string, [name: string, code: string, status: number, hasMessage: boolean] | null>;
  'fan-out': Record<string, unknown>;
  left: string[];
}

const python = await pythonWith('kinesis');
const SHARDS = [0, 1, 2].map((n) => `shardId-00000000000${n}`);

describeWith(python, 'boto3 on the embedded stream', () => {
  let folder: string;
  let server: StreamServer;
  let seen: Seen;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakeward-boto3-'));
    const bounds = { maxBytes: 1e9, retention_ms: 86_400_000 };
    const around = { clock: systemClock, log: silentLog };
    server = await openStreamServer({ folder, port: 0, region: 'eu-west-1', ...bounds, ...around });
    seen = await python.run(join(import.meta.dirname, 'use_kinesis.py'), { endpoint: server.endpoint });
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('creates a stream, waits for it, and gets the same description by every way', () => {
    expect(seen.description).toMatchObject({
      arn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/events',
      ...{
        status: 'ACTIVE',
        retention_h: 24,
        shards: SHARDS,
        open: 3,
        same: true,
        created: true,
        recent: true,
      },
    });
    const ranges = seen.description['ranges'] as [string, string][];
    expect(ranges[0]![0]).toBe('0');
    expect(ranges.at(-1)![1]).toBe(String(2n ** 128n - 1n));
    for (const [i, [from]] of ranges.entries())
      if (i > 0) expect(BigInt(from)).toBe(BigInt(ranges[i - 1]![1]) + 1n);
  });

  test('pages through shards and streams', () => {
    expect(seen.pages).toEqual(SHARDS.map((shard) => [shard]));
    expect(seen.listed).toEqual([SHARDS.slice(0, 2), SHARDS.slice(2)]);
    expect(seen['listing ends']).toBe(true);
    expect(seen.streams).toEqual([['another'], ['events']]);
  });

  test('puts records one by one and 500 at once, and reads the same bytes, in order, from the shards it was told', () => {
    expect(seen.put).toEqual({
      shard: SHARDS[0],
      failed: 0,
      records: 502,
      first: Buffer.from('first \0\u00ff', 'latin1').toString('hex'),
      large: 1024 * 1024 - 1,
      ...{ same: true, shards: true, ordered: true, times: true, limited: true, latest: true },
    });
  });

  test('reads from where each type of iterator begins', () => {
    expect(seen.iterators).toEqual({
      TRIM_HORIZON: true,
      LATEST: true,
      AT_SEQUENCE_NUMBER: true,
      AFTER_SEQUENCE_NUMBER: true,
      AT_TIMESTAMP: true,
      'AT_TIMESTAMP of long ago': true,
    });
  });

  test('catches errors by their class', () => {
    const invalid = ['InvalidArgumentException', 'InvalidArgumentException', 400, true];
    const notFound = ['ResourceNotFoundException', 'ResourceNotFoundException', 400, true];
    const validation = ['ValidationException', 'ValidationException', 400, true];
    expect(seen.errors).toEqual({
      'no such stream': notFound,
      'no such stream to put into': notFound,
      'a stream that is there': ['ResourceInUseException', 'ResourceInUseException', 400, true],
      'no such shard': notFound,
      'no such iterator': invalid,
      'a number of no record': validation,
      'a record too large': validation,
      'too many records': validation,
      'a name that is none': validation,
      'a limit too high': validation,
    });
  });

  test('is pushed records by enhanced fan-out through a split, merges and scales', () => {
    expect(seen['fan-out']).toEqual({
      pushed: true,
      children: [[SHARDS[0]], [SHARDS[0]]],
      last: [Buffer.from('after').toString('hex')],
      ended: true,
      merged: [true],
      scaled: [3, 2],
      consumers: [],
    });
  });

  test('deletes a stream and waits until it is gone', () => {
    expect(seen.left).toEqual(['another']);
  });
});
