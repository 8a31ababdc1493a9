import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fileSource, recordsOf, type Source } from './records.ts';

const source = (chunks: Iterable<Buffer>): Source => ({
  name: 'events.json',
  bytes: undefined,
  open: () => Readable.from(chunks, { objectMode: false }),
});

/** Records as Latin 1 text, so that every byte is told apart; what came before an error too. */
async function read(input: string | Buffer | Iterable<Buffer>) {
  const chunks = typeof input === 'string' || Buffer.isBuffer(input) ? [Buffer.from(input)] : input;
  const records: string[] = [];
  let bytes = 0;
  try {
    for await (const record of recordsOf(source(chunks), (count) => (bytes = count))) {
      records.push(Buffer.from(record).toString('latin1'));
    }
    return { records, bytes, error: undefined };
  } catch (error) {
    return { records, bytes, error };
  }
}

const recordsIn = async (input: Parameters<typeof read>[0]) => {
  const { records, error } = await read(input);
  if (error !== undefined) throw error;
  return records;
};

/** The same bytes cut at any places. */
const cutting = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
};

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

it.each([
  ['zstd', Buffer.from('28b52ffd2458', 'hex')],
  ['bzip2', Buffer.from('BZh91AY')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['zip', Buffer.from('PK\u0003\u0004')],
  ['Parquet', Buffer.from('PAR1')],
  ['an object over several lines', Buffer.from('\ufeff\n {\r\n  "a": 1\n}\n')],
  ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le')],
  ['UTF-16', Buffer.from('\ufeff[{"a":1}]', 'utf16le').swap16()],
])('a file of %s is refused as what it is, before anything of it is sent', async (is, bytes) => {
  const { records, error } = await read([...bytes].map((byte) => Buffer.of(byte)));
  expect(records).toEqual([]);
  expect(error).toMatchObject({ code: 'send.other_format', message: expect.stringContaining(is) });
});

describe('lines', () => {
  it.each([
    [
      'end with CRLF or LF, the last one also with nothing',
      '{"a":1}\r\n{"a":2}\n{"a":3}',
      ['{"a":1}', '{"a":2}', '{"a":3}'],
    ],
    ['do not end with a lone CR', '{"a":1}\r', ['{"a":1}']],
    ['that are empty or blank are none', '\n\r\n \t\n{"a":1}\n\n ', ['{"a":1}']],
    [
      'may be anything, and are records for the processor to judge',
      'hello\n[1,2]\nnull\n{"cut":',
      ['hello', '[1,2]', 'null', '{"cut":'],
    ],
    ['that are arrays are records', '[1,2]\n["a",{"b":1}]\n', ['[1,2]', '["a",{"b":1}]']],
    ['keep their blanks', ' {"a":1} \n', [' {"a":1} ']],
    ['come without the mark that some editors put first', '\u{feff}{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['are none in an empty file', '', []],
    ['may be one byte', 'x', ['x']],
  ])('%s', async (_name, text, expected) => {
    expect(await recordsIn(text)).toEqual(expected);
  });

  it('that are not UTF-8 arrive as they are', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x7d, 0x0a, 0x80]);
    expect(await recordsIn(bytes)).toEqual(['{\u00ff\u00fe\u0000}', '\u0080']);
  });

  it('are the same wherever the chunks were cut', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('{"a":"ü"}', '[1]', '', ' '),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat(), { maxLength: 6 }), async (texts, cuts) => {
        const first = '{"first":1}';
        const all = [first, ...texts.map((text) => text.replace(/[\r\n]/g, ''))];
        const bytes = Buffer.from(all.join('\n'));
        expect(await recordsIn(cutting(bytes, cuts))).toEqual(
          all.filter((text) => !/^[ \t]*$/.test(text)).map(latin1),
        );
      }),
    );
  });
});

describe('an array', () => {
  it.each([
    ['has an element a record', '[{"a":1},{"b":[1,{"c":2}]}]', ['{"a":1}', '{"b":[1,{"c":2}]}']],
    ['may be spread over lines', '\n[\n  {"a":1},\n  {"b":2}\n]\n', ['{"a":1}', '{"b":2}']],
    ['may be empty', ' [ ] ', []],
    [
      'has brackets, commas and escapes in strings',
      String.raw`[{"a":"]},[{"},{"b":"\"]\\"},{"c":"\\\""}]`,
      ['{"a":"]},[{"}', String.raw`{"b":"\"]\\"}`, String.raw`{"c":"\\\""}`],
    ],
    [
      'may hold what is no event',
      '[{"a":1}, 5, null, "x", [1, 2]]',
      ['{"a":1}', '5', 'null', '"x"', '[1, 2]'],
    ],
    ['that is cut off ends with a damaged record', '[{"a":1},{"b":"x', ['{"a":1}', '{"b":"x']],
    ['that is cut off behind a comma ends there', '[{"a":1}, ', ['{"a":1}']],
    [
      'may be followed by lines, which are not lost',
      '[{"a":1}]\n{"b":2}\n{"c":3,"d":4}',
      ['{"a":1}', '{"b":2}', '{"c":3,"d":4}'],
    ],
    ['comes without the mark that some editors put first', '\u{feff}[{"a":1}]', ['{"a":1}']],
  ])('%s', async (_name, text, expected) => {
    expect(await recordsIn(text)).toEqual(expected);
  });

  it('has the elements that JSON says, wherever the chunks were cut', async () => {
    const element = fc.dictionary(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('[{', ']}', '\\"', ',')),
      { maxKeys: 3 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(element, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 8 }),
        async (values, indent, cuts) => {
          const bytes = Buffer.from(JSON.stringify(values, undefined, indent));
          const records = await recordsIn(cutting(bytes, cuts));
          expect(records.map((text) => JSON.parse(Buffer.from(text, 'latin1').toString()))).toEqual(
            JSON.parse(JSON.stringify(values)),
          );
        },
      ),
    );
  });

  it('loses nothing but blanks and commas when it is cut off anywhere', async () => {
    const bytes = Buffer.from('[{"a":"x,]}"}, {"b":[1,2,{"c":"é"}]} ,{"d":{}}]');
    for (let end = 2; end < bytes.length; end++) {
      const records = await recordsIn(bytes.subarray(0, end));
      const kept = records.join('').replace(/[\s,]/g, '');
      expect(kept).toBe(
        bytes
          .subarray(1, end)
          .toString('latin1')
          .replace(/\]$/, end === bytes.length ? '' : ']')
          .replace(/[\s,]/g, ''),
      );
    }
  });
});

describe('gzip', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => `{"n":${i},"r":"${Math.sin(i)}"}`);

  it('is unpacked, whatever its name, in chunks of any size', async () => {
    const packed = gzipSync(text.join('\n'));
    expect(await recordsIn(packed)).toEqual(text);
    const bytewise = gzipSync('[{"a":1},{"b":2}]');
    expect(await recordsIn(cutting(bytewise, Array.from(bytewise.keys())))).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('may be several members, as logs that were appended to', async () => {
    expect(await recordsIn(Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"b":2}\n')]))).toEqual([
      '{"a":1}',
      '{"b":2}',
    ]);
  });

  it('that is cut off or damaged gives what came before, and a failure that says so', async () => {
    const packed = gzipSync(text.join('\n'));
    const damaged = Buffer.from(packed).fill(0xff, packed.length / 2);
    for (const broken of [packed.subarray(0, packed.length / 2), damaged, packed.subarray(0, 12)]) {
      const { records, error } = await read(broken);
      expect(records).toEqual(text.slice(0, records.length));
      expect(error).toMatchObject({ name: 'Failure', code: 'send.bad_gzip', fault: 'user' });
    }
    expect((await read(packed.subarray(0, packed.length / 2))).records.length).toBeGreaterThan(1_000);
  });

  it('that is empty has no record', async () => {
    expect(await recordsIn(gzipSync(''))).toEqual([]);
  });
});

describe('size', () => {
  it('of a record may be all that a stream takes', async () => {
    const long = `{"a":"${'x'.repeat(5_000_000)}"}`;
    const chunks = cutting(
      Buffer.from(`${long}\n{"b":1}`),
      Array.from({ length: 80 }, (_, i) => i * 65_536),
    );
    expect((await recordsIn(chunks)).map((record) => record.length)).toEqual([long.length, 7]);
  });

  it.each(['{"line":1}\n{"a":"', '[{"element":1},{"a":"'])(
    'of a record that never ends is not held in memory: %s',
    async (start) => {
      let made = 0;
      function* endless() {
        yield Buffer.from(start);
        const block = Buffer.alloc(1 << 20, 'x');
        for (;;) {
          made += block.length;
          yield block;
        }
      }
      const { records, error } = await read(endless());
      expect(records.length).toBe(1);
      expect(error).toMatchObject({ name: 'Failure', code: 'send.record_too_long', fault: 'user' });
      expect(made).toBeLessThan(16 << 20);
    },
  );
});

describe('a source', () => {
  it('tells how many bytes of it were read, packed as they are', async () => {
    const packed = gzipSync('{"a":1}\n{"a":2}');
    expect((await read(packed)).bytes).toBe(packed.length);
  });

  it('is closed when no more records are wanted', async () => {
    const stream = Readable.from([Buffer.from('{"a":1}\n'), Buffer.from('{"a":2}\n')], { objectMode: false });
    for await (const _ of recordsOf({ name: 'x', bytes: undefined, open: () => stream }, () => {})) break;
    expect(stream.destroyed).toBe(true);
  });

  it('may be a file, with its size', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'records-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'events.ndjson');
    await writeFile(path, '{"a":1}\n');
    const file = await fileSource(path);
    expect(file).toMatchObject({ name: path, bytes: 8 });
    const records: string[] = [];
    for await (const record of recordsOf(file, () => {})) records.push(Buffer.from(record).toString());
    expect(records).toEqual(['{"a":1}']);
  });

  it('that is not there is the mistake of the caller', async () => {
    await expect(fileSource(join(tmpdir(), 'no', 'such', 'file.json'))).rejects.toEqual(
      expect.objectContaining({
        name: 'Failure',
        code: 'send.no_file',
        fault: 'user',
        why: 'there is no such file',
      }),
    );
  });

  it('that is a folder is too', async () => {
    await expect(fileSource(tmpdir())).rejects.toEqual(
      expect.objectContaining({ code: 'send.no_file', fault: 'user', why: 'it is a folder' }),
    );
  });
});
