import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregate, aggregatedMessage, sealed, type UserRecord } from '../../tests/support/aggregate.ts';
import { mayBeAggregated, readAggregatedRecord } from './aggregated-record.ts';
import { evenHashKeyRanges, HASH_KEY_MAX, hashKeyOf } from './hash-key.ts';

function contents(bytes: Buffer): string[] | undefined {
  const read = readAggregatedRecord(bytes);
  return read?.starts.map((start, i) => read.bytes.subarray(start, read.ends[i]).toString('latin1'));
}

const record = (fields: (out: BinaryWriter) => void) => {
  const out = new BinaryWriter().tag(1, WireType.LengthDelimited).string('k');
  out.tag(3, WireType.LengthDelimited).fork();
  fields(out);
  return sealed(out.join().finish());
};

describe('an aggregated record', () => {
  it('gives back what any aggregator put into it, in order', () => {
    const userRecord = fc.record(
      {
        data: fc.uint8Array({ maxLength: 300 }),
        key: fc.string({ minLength: 1, maxLength: 10, unit: 'grapheme' }),
        explicitHashKey: fc.bigInt({ min: 0n, max: HASH_KEY_MAX }).map(String),
      },
      { requiredKeys: ['data', 'key'] },
    );
    const property = fc.property(fc.array(userRecord, { maxLength: 50 }), (records) => {
      const bytes = aggregate(...records);
      // The Kinesis Producer Library never makes an empty one.
      if (records.length === 0) expect(contents(bytes)).toBeUndefined();
      fc.pre(records.length > 0);
      expect(mayBeAggregated(bytes.toString('base64'))).toBe(true);
      expect(contents(bytes)).toEqual(records.map(({ data }) => Buffer.from(data).toString('latin1')));
    });
    fc.assert(property);
  });

  it('may have fields in any order, tags, and fields that nobody knows yet', () => {
    const out = new BinaryWriter().tag(9, WireType.Varint).uint32(7);
    out.tag(3, WireType.LengthDelimited).fork();
    out.tag(3, WireType.LengthDelimited).string('body').tag(7, WireType.Bit64).fixed64(1n);
    out.tag(4, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string('tag').join();
    out.tag(1, WireType.Varint).uint32(0).join();
    out.tag(1, WireType.LengthDelimited).string('key behind its record');
    expect(contents(sealed(out.finish()))).toEqual(['body']);
  });

  it('may be empty, as long as its message is not', () => {
    const table = new BinaryWriter().tag(1, WireType.LengthDelimited).string('k').finish();
    expect(contents(sealed(table))).toEqual([]);
  });
});

describe('a plain record is', () => {
  const good = aggregate({ data: 'a' }, { data: 'b' });
  it.each<[string, Buffer]>([
    ['anything without the magic', Buffer.from('{"event_uuid":"a"}')],
    ['the magic alone', good.subarray(0, 4)],
    ['magic and a checksum with nothing between', sealed(new Uint8Array())],
    ['one with a wrong checksum', Buffer.concat([good.subarray(0, -1), Buffer.from([good.at(-1)! ^ 1])])],
    ['one cut off', good.subarray(0, -5)],
    ['a sealed text', sealed(Buffer.from('this is no protobuf'))],
    ['a message that ends within a record', sealed(aggregatedMessage({ data: 'body' }).subarray(0, -1))],
    ['a record without a key', record((out) => out.tag(3, WireType.LengthDelimited).string('x'))],
    ['a record without data', record((out) => out.tag(1, WireType.Varint).uint32(0))],
    [
      'a record whose data ends behind it',
      record((out) => out.tag(1, WireType.Varint).uint32(0).tag(3, WireType.LengthDelimited).uint32(1)),
    ],
    ['field number 0', sealed(new BinaryWriter().uint32(0).uint32(1).finish())],
  ])('%s', (_, bytes) => {
    expect(readAggregatedRecord(bytes)).toBeUndefined();
  });

  it('whatever one byte of an aggregated record is changed', () => {
    const change = fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, xor) => {
      const bytes = Buffer.from(good);
      bytes[at]! ^= xor;
      expect(readAggregatedRecord(bytes)).toBeUndefined();
    });
    fc.assert(change);
  });
});

describe('strays', () => {
  const [low, high] = evenHashKeyRanges(2);
  const strays = (records: readonly UserRecord[], range = low!) =>
    readAggregatedRecord(aggregate(...records))!.strays(range);
  const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);

  it('are told by the hash of the partition key', () => {
    const records = keys.map((key) => ({ data: key, key }));
    const expected = keys.filter((key) => hashKeyOf(key) > low!.end).length;
    expect(expected).toBeGreaterThan(0);
    expect(strays(records)).toBe(expected);
    expect(strays(records, high)).toBe(keys.length - expected);
    expect(strays(records, { start: 0n, end: HASH_KEY_MAX })).toBe(0);
  });

  it('are told by the explicit hash key where there is one', () => {
    const explicit = (key: bigint) => ({ data: '', key: 'same', explicitHashKey: String(key) });
    const records = [explicit(low!.start), explicit(low!.end), explicit(high!.start), explicit(high!.end)];
    expect(strays(records)).toBe(2);
  });

  it('are not made of keys that cannot be found or read', () => {
    expect(strays([{ data: '', key: 'same', explicitHashKey: 'no number' }])).toBe(0);
    const lost = record((out) => {
      out.tag(1, WireType.Varint).uint32(99).tag(3, WireType.LengthDelimited).string('body');
    });
    expect(readAggregatedRecord(lost)!.strays({ start: 1n, end: 1n })).toBe(0);
    expect(contents(lost)).toEqual(['body']);
  });
});
