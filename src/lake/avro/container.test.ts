import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../base/base.ts';
import { decodeContainer } from './decode.ts';
import { encodeContainer } from './encode.ts';
import { type AvroRecord, avroName, listOf, mapOf, optional, positionsById, required } from './schema.ts';
import { AvroWriter } from './writer.ts';

const SCHEMA: AvroRecord = {
  type: 'record',
  name: 'everything',
  fields: [
    required(1, 'flag', 'boolean'),
    required(2, 'small', 'int'),
    optional(3, 'large', 'long'),
    required(4, 'half', 'float'),
    required(5, 'whole', 'double'),
    required(6, 'text', 'string'),
    optional(7, 'raw', 'bytes'),
    required(8, 'sizes', mapOf(80, 81, 'long')),
    optional(9, 'bounds', mapOf(90, 91, 'bytes')),
    optional(10, 'offsets', listOf(100, 'long')),
    required(11, 'inner', {
      type: 'record',
      name: 'r11',
      fields: [optional(12, 'day', { type: 'int', logicalType: 'date' })],
    }),
    required(13, 'exact', { type: 'fixed', name: 'four', size: 4 }),
  ],
};
const SYNC = Uint8Array.from({ length: 16 }, (_, i) => i);

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 40 });
const row = fc.record({
  flag: fc.boolean(),
  small: fc.integer(),
  large: fc.option(long),
  half: fc.float({ noNaN: true }),
  whole: fc.double({ noNaN: true }),
  text: fc.string({ unit: 'grapheme' }),
  raw: fc.option(bytes),
  sizes: fc.array(fc.tuple(fc.integer(), long)).map((pairs) => new Map(pairs)),
  bounds: fc.option(fc.array(fc.tuple(fc.integer(), bytes)).map((pairs) => new Map(pairs))),
  offsets: fc.option(fc.array(fc.integer())),
  inner: fc.record({ day: fc.option(fc.integer()) }),
  exact: fc.uint8Array({ minLength: 4, maxLength: 4 }),
});

/** As values are compared: a long is a bigint whatever its size, a map is its pairs, bytes are a list. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return [...value];
  if (value !== null && typeof value === 'object' && 'entries' in value && !Array.isArray(value)) {
    return [...(value as ReadonlyMap<number, unknown>)].map(([key, item]) => [key, plain(item)]);
  }
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
};

describe('an Avro file', () => {
  test('reads back as it was written, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 20 }),
        fc.constantFrom('null', 'deflate'),
        async (rows, codec) => {
          const file = await encodeContainer(
            { schema: SCHEMA, metadata: { content: 'däta' }, codec, sync: SYNC },
            rows,
          );
          const back = decodeContainer(file, 'memory');
          expect(back.metadata.get('content')).toBe('däta');
          const at = positionsById(back.schema);
          const names = SCHEMA.fields.map((field) => [field.name, at.get(field['field-id']!)!] as const);
          const again = back.rows.map((values) =>
            Object.fromEntries(names.map(([name, i]) => [name, values[i]])),
          );
          expect(
            again
              .map((r) => ({ ...r, inner: { day: (r['inner'] as unknown[])[0] } }))
              .map((r) => Object.values(r).map(plainInner)),
          ).toEqual(
            rows.map((r) => SCHEMA.fields.map((field) => plainInner(r[field.name as keyof typeof r]))),
          );
        },
      ),
    );
  });

  test('of many rows is split into blocks that hold tens of kilobytes', async () => {
    const schema: AvroRecord = { type: 'record', name: 'r', fields: [required(1, 'text', 'string')] };
    const rows = Array.from({ length: 1_000 }, (_, i) => ({ text: `${i} ${'x'.repeat(500)}` }));
    const file = await encodeContainer({ schema, metadata: {}, codec: 'null', sync: SYNC }, rows);
    expect(occurrences(file, SYNC)).toBeGreaterThan(6);
    expect(decodeContainer(file, 'memory').rows).toHaveLength(1_000);
  });

  test('that another writer compressed with zstandard, or left with a sized block, is read', () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'r',
      fields: [{ name: 'list', type: { type: 'array', items: 'long' }, 'field-id': 1 }],
    });
    for (const [codec, pack] of [
      ['zstandard', zstdCompressSync],
      ['deflate', deflateRawSync],
    ] as const) {
      const body = new AvroWriter();
      // A negative count is followed by the size of the block in bytes.
      body.long(-2);
      body.long(2);
      body.long(5);
      body.long(6);
      body.long(0);
      expect(
        decodeContainer(file({ schema, codec, count: 1, data: pack(body.take()) }), 'memory').rows,
      ).toEqual([[[5, 6]]]);
    }
  });

  test('that names a type a second time by its name alone is read', () => {
    const decimal = { type: 'fixed', name: 'decimal_9_2', size: 1 };
    const fields = [
      { name: 'a', type: decimal, 'field-id': 1 },
      { name: 'b', type: ['null', 'decimal_9_2'], 'field-id': 2 },
    ];
    const schema = JSON.stringify({ type: 'record', name: 'r', fields });
    const [first] = decodeContainer(
      file({ schema, codec: 'null', count: 1, data: Uint8Array.of(7, 2, 8) }),
      'memory',
    ).rows;
    expect(first!.map(plain)).toEqual([[7], [8]]);
  });

  test('that was cut or overwritten is named in the failure, never half read', async () => {
    const rows = [
      {
        flag: true,
        small: 1,
        half: 0,
        whole: 0,
        text: 'abc',
        sizes: new Map(),
        inner: {},
        exact: SYNC.slice(0, 4),
      },
    ];
    const whole = await encodeContainer({ schema: SCHEMA, metadata: {}, codec: 'deflate', sync: SYNC }, rows);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        const cut = () => decodeContainer(whole.slice(0, length), 'memory://lake/some.avro').rows.length;
        // A cut right behind the header leaves a valid file without rows.
        if (length === whole.length - blockBytes(whole)) {
          expect(cut()).toBe(0);
        } else {
          expect(cut).toThrow(Failure);
          expect(cut).toThrow(/some\.avro/);
        }
      }),
    );
  });

  test('with a codec that is not supported says which ones are', () => {
    const schema = JSON.stringify({ type: 'record', name: 'r', fields: [] });
    expect(() =>
      decodeContainer(file({ schema, codec: 'snappy', count: 0, data: new Uint8Array() }), 'memory'),
    ).toThrow(
      expect.objectContaining({ code: 'lake.avro_damaged', why: expect.stringContaining('zstandard') }),
    );
  });
});

describe('encoding', () => {
  test('refuses a value of another type than the schema says', async () => {
    const schema: AvroRecord = { type: 'record', name: 'r', fields: [required(1, 'n', 'int')] };
    const encode = (n: unknown) =>
      encodeContainer({ schema, metadata: {}, codec: 'null', sync: SYNC }, [{ n }]);
    for (const wrong of ['1', null, undefined, 1.5, 2 ** 31, 1n])
      await expect(encode(wrong)).rejects.toThrow();
    await expect(encode(-(2 ** 31))).resolves.toBeInstanceOf(Uint8Array);
  });

  test('makes names that Avro allows, as Java does', () => {
    expect(avroName('event_type')).toBe('event_type');
    expect(avroName('event-type é')).toBe('event_x2Dtype_x20_xE9');
    expect(avroName('1st')).toBe('_1st');
    expect(avroName('😀')).toBe('_x1F600');
  });
});

const plainInner = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'day' in value
    ? plain((value as { day: unknown }).day)
    : plain(value ?? null);

function file({
  schema,
  codec,
  count,
  data,
}: {
  schema: string;
  codec: string;
  count: number;
  data: Uint8Array;
}) {
  const writer = new AvroWriter();
  writer.raw(Buffer.from('Obj\x01', 'latin1'));
  writer.long(2);
  writer.string('avro.schema');
  writer.string(schema);
  writer.string('avro.codec');
  writer.string(codec);
  writer.long(0);
  writer.raw(SYNC);
  writer.long(count);
  writer.bytes(data);
  writer.raw(SYNC);
  return writer.take();
}

function occurrences(haystack: Uint8Array, needle: Uint8Array): number {
  return Buffer.from(haystack).toString('latin1').split(Buffer.from(needle).toString('latin1')).length - 1;
}

/** What follows the header: it ends with the first sync marker. */
function blockBytes(whole: Uint8Array): number {
  return whole.length - (Buffer.from(whole).indexOf(Buffer.from(SYNC)) + SYNC.length);
}
