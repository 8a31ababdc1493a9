import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSpool } from '../../tests/support/spools.ts';
import { type SpoolFiles, SpoolWriter } from './spool.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Row {
  body: Buffer;
  seq?: string;
  arrived_ms?: number;
  shard?: number;
}

async function writeAndRead(rows: readonly Row[]) {
  const path = join(folder, `${crypto.randomUUID()}.parquet`);
  const out = new SpoolWriter(path);
  for (const { body, seq = '1', arrived_ms = 0, shard = 0 } of rows) {
    out.append({ data: body.toString('base64'), seq, arrived_ms, shard, sub: -1 });
  }
  out.close();
  return { read: await readSpool({ path, shards: ['a', 'b'] }), out };
}

it('keeps every byte, number, time and shard', async () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const { read, out } = await writeAndRead([
    {
      body: every,
      seq: '49590338271490256608559692538361571095921575989136588898',
      arrived_ms: 1_767_225_600_123,
    },
    { body: Buffer.alloc(0), seq: '2', arrived_ms: 0, shard: 1 },
    { body: Buffer.from('{"a":"\n\u0000ü"}'), seq: '3' },
  ]);
  expect(read).toEqual([
    {
      body: every.toString('latin1'),
      seq: '49590338271490256608559692538361571095921575989136588898',
      arrived_ms: 1_767_225_600_123,
      shard: 'a',
      sub: -1,
    },
    { body: '', seq: '2', arrived_ms: 0, shard: 'b', sub: -1 },
    {
      body: Buffer.from('{"a":"\n\u0000ü"}').toString('latin1'),
      seq: '3',
      arrived_ms: 0,
      shard: 'a',
      sub: -1,
    },
  ]);
  expect(out.bytes).toBe(256 + 12);
});

it('is a readable file without rows', async () => {
  expect((await writeAndRead([])).read).toEqual([]);
});

it('keeps the order over many row groups', async () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => ({
    body: Buffer.from(`record ${i}`),
    seq: String(i),
  }));
  const { read } = await writeAndRead(rows);
  expect(read.map((row) => row.body)).toEqual(rows.map((row) => row.body.toString()));
});

it('holds records of ten megabytes', async () => {
  const rows = [1, 2, 3].map((fill) => ({ body: Buffer.alloc(10 << 20, fill) }));
  const { read } = await writeAndRead(rows);
  expect(read.map((row) => row.body.length)).toEqual([10 << 20, 10 << 20, 10 << 20]);
});

it.each([0, 4, 100])(
  'leaves no file open when the disk is full after %i bytes: it would keep its room',
  (room) => {
    const open = new Set<number>();
    let left = room;
    const full: SpoolFiles = {
      open() {
        open.add(1);
        return 1;
      },
      write(_file, bytes, at) {
        if (bytes.length - at > left) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
        left -= bytes.length - at;
        return bytes.length - at;
      },
      close: (file) => void open.delete(file),
    };
    const write = () => {
      const out = new SpoolWriter('spool.parquet', full);
      out.append({ data: Buffer.from('{}').toString('base64'), seq: '1', arrived_ms: 0, shard: 0, sub: -1 });
      out.close();
    };
    expect(write).toThrow('ENOSPC');
    expect([...open]).toEqual([]);
  },
);
