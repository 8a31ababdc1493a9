import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CborError, decodeCbor, encodeCbor } from './cbor.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Appendix A of RFC 8949, without what no message has: integers beyond a double, undefined, other simple values. */
const examples: [string, unknown][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['20', -1],
  ['3903e7', -1000],
  ['f90000', 0],
  ['f93c00', 1],
  ['f93e00', 1.5],
  ['f97bff', 65_504],
  ['f90001', 2 ** -24],
  ['f9c400', -4],
  ['f97c00', Number.POSITIVE_INFINITY],
  ['f97e00', Number.NaN],
  ['fa47c35000', 100_000],
  ['fb3ff199999999999a', 1.1],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['c11a514b67b0', 1_363_896_240],
  ['44 01020304', Buffer.from([1, 2, 3, 4])],
  ['62c3bc', 'ü'],
  ['83 01 82 02 03 82 04 05', [1, [2, 3], [4, 5]]],
  ['a2 6161 01 6162 82 02 03', { a: 1, b: [2, 3] }],
  ['5f 42 0102 43 030405 ff', Buffer.from([1, 2, 3, 4, 5])],
  ['7f 65 7374726561 64 6d696e67 ff', 'streaming'],
  ['9f 01 82 02 03 9f 04 05 ff ff', [1, [2, 3], [4, 5]]],
  ['bf 6161 01 6162 9f 02 03 ff ff', { a: 1, b: [2, 3] }],
];

test.each(examples)('%s is read', (bytes, value) => {
  const read = decodeCbor(hex(bytes));
  expect(read !== null && typeof read === 'object' && !Array.isArray(read) ? { ...read } : read).toEqual(
    Buffer.isBuffer(value) ? { ...value } : value,
  );
});

test('what is written is read again', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: 'grapheme' }),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }).map((n) => n + 0),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.array(tie('any')),
      fc.dictionary(
        fc.string().filter((name) => !name.endsWith('Timestamp')),
        tie('any'),
        { noNullPrototype: false },
      ),
    ),
  })).any;
  fc.assert(
    fc.property(value, (sent) => {
      expect(plain(decodeCbor(encodeCbor(sent)))).toEqual(plain(sent));
    }),
  );
});

/** With prototypes, and bytes told apart from lists. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
  return Object.entries(value)
    .map(([name, member]) => [name, plain(member)])
    .sort();
}

test('a timestamp is written as tag 1 with whole milliseconds, and read as them', () => {
  const bytes = encodeCbor({ StreamCreationTimestamp: 1_458_397_403.342 });
  expect(bytes.toString('hex')).toBe(
    'a1' +
      `77${Buffer.from('StreamCreationTimestamp').toString('hex')}` +
      `c11b${1_458_397_403_342n.toString(16).padStart(16, '0')}`,
  );
  expect(decodeCbor(bytes)).toMatchObject({ StreamCreationTimestamp: 1_458_397_403_342 });
});

test('members that are undefined are left out', () => {
  expect(encodeCbor({ a: undefined, b: 1 })).toEqual(hex('a1 6162 01'));
});

test('a member may be called as one of every object', () => {
  expect(Object.keys(decodeCbor(hex('a1 695f5f70726f746f5f5f 01')) as object)).toEqual(['__proto__']);
});

test.each([
  ['nothing', ''],
  ['a value and more', '0101'],
  ['a break alone', 'ff'],
  ['a text that ends too early', '65 6162'],
  ['a list that promises four thousand million items', '9affffffff'],
  ['bytes that promise more than there can be', '5bffffffffffffffff'],
  ['a text that is not UTF-8', '61 ff'],
  ['a key that is no text', 'a1 01 01'],
  ['a chunk of another type', '5f 61 61 ff'],
  ['a reserved length', '1c'],
  ['undefined simple values', 'e0'],
  ['a list in a list, a hundred deep', `${'81'.repeat(100)}00`],
  ['tags upon tags', `${'c1'.repeat(100)}00`],
  ['more values than any message has', `9f${'00'.repeat(100_001)}ff`],
])('%s is an error', (_what, bytes) => {
  expect(() => decodeCbor(hex(bytes))).toThrow(CborError);
});

test('whatever the bytes are, reading them ends, with a value or with an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeCbor(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(CborError);
      }
    }),
    { numRuns: 2_000 },
  );
});
