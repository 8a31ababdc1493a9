import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregate } from '../../tests/support/aggregate.ts';
import { withBytes } from '../../tests/support/fake-kinesis.ts';
import { readSpool } from '../../tests/support/spools.ts';
import { encodeCbor, evenHashKeyRanges, HASH_KEY_MAX, type Operations } from '../kinesis/kinesis.ts';
import { BadBody, type SplitInput } from './split.ts';
import { splitCbor } from './split-cbor.ts';
import { splitJson } from './split-json.ts';
import { SpoolWriter } from './spool.ts';

type Answer = Operations['GetRecords']['output'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'split-cbor-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ALL = { start: 0n, end: HASH_KEY_MAX };
const input = (fields: Partial<SplitInput> = {}): SplitInput => ({
  shard: 0,
  after: undefined,
  hashKeys: ALL,
  ...fields,
});

/** What the splitter says, and what stands in the spool then. */
async function split(splitBody: typeof splitCbor, body: Buffer, fields: Partial<SplitInput> = {}) {
  const path = join(folder, `${crypto.randomUUID()}.parquet`);
  let spool: SpoolWriter | undefined;
  const said = splitBody(body, () => (spool ??= new SpoolWriter(path)), input(fields));
  spool?.close();
  return { said, rows: spool === undefined ? [] : await readSpool({ path, shards: ['a'] }) };
}

const refuse = (body: Buffer) => () =>
  splitCbor(
    body,
    () => {
      throw new Error('a spool was opened');
    },
    input(),
  );

const record = (number: number | string, data: Uint8Array = Buffer.from(`r${number}`)) => ({
  SequenceNumber: String(number),
  ApproximateArrivalTimestamp: 1_767_225_600.123,
  Data: Buffer.from(data).toString('base64'),
  PartitionKey: 'ü',
  EncryptionType: 'KMS',
});
const answer = (records: Answer['Records'], rest: Partial<Answer> = {}): Answer => ({
  Records: records,
  MillisBehindLatest: 1_234,
  NextShardIterator: 'next',
  ...rest,
});
const cbor = (value: Answer | object) => encodeCbor(withBytes(value));

it('says of any answer what the splitter of JSON says, and writes the same rows', async () => {
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 5 })
      .map((parts) => aggregate(...parts.map((part, i) => ({ data: part, key: `key ${i}` })))),
  );
  const numbers = fc.uniqueArray(fc.bigInt({ min: 0n, max: 10n ** 56n }), { maxLength: 30 });
  const property = fc.asyncProperty(
    fc.tuple(numbers, fc.infiniteStream(data), fc.option(fc.nat(29)), fc.boolean()),
    async ([unsorted, stream, taken, ended]) => {
      const sorted = unsorted.toSorted((a, b) => (a < b ? -1 : 1));
      const records = sorted.map((number) => record(String(number), stream.next().value));
      const range = { StartingHashKey: '0', EndingHashKey: '99' };
      const child = { ShardId: 'child', ParentShards: ['a'], HashKeyRange: range };
      const whole = answer(records, ended ? { NextShardIterator: null, ChildShards: [child] } : {});
      const fields = {
        after: taken === null ? undefined : sorted[taken]?.toString(),
        hashKeys: evenHashKeyRanges(2)[0]!,
      };
      const json = await split(splitJson, Buffer.from(JSON.stringify(whole)), fields);
      expect(await split(splitCbor, cbor(whole), fields)).toEqual(json);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

describe('a body is refused as a whole, and nothing of it written', () => {
  const body = cbor(answer([record(1), record(2), record(3)]));

  it('wherever it is cut off, and when bytes follow', () => {
    for (let end = 0; end < body.length; end++) expect(refuse(body.subarray(0, end))).toThrow(BadBody);
    expect(refuse(Buffer.concat([body, Buffer.from([0])]))).toThrow('bytes behind the answer');
  });

  it.each<[string, object, string]>([
    ['without records', { MillisBehindLatest: 0 }, 'no list of records'],
    ['with records that are no list', { Records: 'x' }, 'no list'],
    ['when numbers go back', answer([record(2), record(1)]), 'record 1 stands behind 2'],
    ['when a number comes twice', answer([record(10), record(10)]), 'record 10 stands behind 10'],
    ['when a number is none', answer([record('1x')]), 'without data or number'],
    ['when a record has no number', { Records: [{ Data: '' }] }, 'without data or number'],
    ['when a record has no data', { Records: [{ SequenceNumber: '1' }] }, 'without data or number'],
    [
      'when a record has no time',
      { Records: [{ ...record(1), ApproximateArrivalTimestamp: undefined }] },
      'record 1 without a time of arrival',
    ],
  ])('%s', (_, value, why) => {
    expect(refuse(cbor(value))).toThrow(why);
  });

  it('whatever a byte of it is changed to: refused, or read, but nothing else', () => {
    const property = fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, xor) => {
      const bytes = Buffer.from(body);
      bytes[at]! ^= xor;
      const out = { append: () => {} } as unknown as SpoolWriter;
      try {
        splitCbor(bytes, () => out, input());
      } catch (error) {
        expect(error).toBeInstanceOf(BadBody);
      }
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe('another way to write the same is', () => {
  const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)]);
  const indefinite = (head: number, ...parts: Buffer[]) =>
    Buffer.concat([Buffer.from([head]), ...parts, Buffer.from([0xff])]);
  const bytes = (value: string) => Buffer.concat([Buffer.from([0x40 + value.length]), Buffer.from(value)]);
  const inMap = (data: Buffer, time: Buffer) =>
    indefinite(
      0xbf,
      Buffer.concat([Buffer.from([0x78, 7]), Buffer.from('Records')]),
      indefinite(
        0x9f,
        indefinite(
          0xbf,
          Buffer.concat([text('Data'), data, text('SequenceNumber'), text('7')]),
          Buffer.concat([Buffer.from([0x78, 27]), Buffer.from('ApproximateArrivalTimestamp'), time]),
          Buffer.concat([text('Later'), indefinite(0x9f, Buffer.from([0xf6, 0xfb]), Buffer.alloc(8))]),
        ),
      ),
      Buffer.concat([text('NextShardIterator'), indefinite(0x7f, text('ne'), text('xt'))]),
    );
  const ms = Buffer.concat([Buffer.from([0x1b]), Buffer.alloc(8)]);
  ms.writeBigUInt64BE(1_767_225_600_000n, 1);
  const tagged = Buffer.concat([Buffer.from([0xc1]), ms]);
  const seconds = Buffer.concat([Buffer.from([0xfb]), Buffer.alloc(8)]);
  seconds.writeDoubleBE(1_767_225_600, 1);

  it.each<[string, Buffer, Buffer]>([
    ['lengths that are told by their end', bytes('abc'), tagged],
    ['data in chunks', indefinite(0x5f, bytes('a'), bytes('bc')), tagged],
    ['data as base64 text', text('YWJj'), tagged],
    ['a time without its tag', bytes('abc'), ms],
    ['a time in seconds', bytes('abc'), seconds],
  ])('%s', async (_, data, time) => {
    const { said, rows } = await split(splitCbor, inMap(data, time));
    expect(rows.map(({ body, seq }) => [body, seq])).toEqual([['abc', '7']]);
    expect(said).toMatchObject({ nextIterator: 'next', behindLatest_ms: 0 });
    expect(new Date(said.rows!.firstArrival_ms).getUTCFullYear()).toBe(2026);
  });
});
