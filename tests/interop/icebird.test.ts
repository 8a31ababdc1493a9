/** Our tables as icebird reads them: Iceberg, Avro and Parquet in JavaScript, without a line of ours. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { icebergRead } from 'icebird';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ourContents } from './our-contents.ts';
import { ASKED, contentsOf } from './questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

describe('icebird', () => {
  let written: WrittenLake;
  beforeAll(async () => {
    vi.stubGlobal('fetch', fetchFile);
    written = await writeLake({ count: 900, seed: 4, commits: [400, 1, 200] });
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await written?.close();
  });

  test.each(Object.keys(ASKED))('reads %s', async (name) => {
    const { metadata, metadataLocation } = await written.table(name);
    const rows = await icebergRead({
      tableUrl: metadata.location,
      metadataFileName: basename(metadataLocation),
    });
    const { key, group, time, content } = ASKED[name]!.columns;
    const contents = contentsOf(
      rows.map((row) => ({
        ...{ key: row[key], group: row[group], content: row[content] },
        us: BigInt(row[time].getTime()) * 1000n,
      })),
    );
    const ours = await ourContents(written, name);
    // It gives times as JavaScript's dates, of milliseconds, and binary as text.
    const told = content === 'bytes' ? { micros: '', digest: '' } : { micros: '' };
    expect({ ...contents, ...told }).toEqual({ ...ours, ...told });
  });
});

/** It asks for everything by `fetch`, and ours lie on disk. */
async function fetchFile(url: string, { headers, method }: RequestInit = {}): Promise<Response> {
  const bytes = await readFile(url.slice('file://'.length));
  const range = /bytes=(\d+)-(\d*)/.exec(new Headers(headers).get('range') ?? '');
  if (range === null) {
    return new Response(method === 'HEAD' ? null : bytes, {
      headers: { 'content-length': String(bytes.length) },
    });
  }
  const [, from, to] = range;
  return new Response(bytes.subarray(Number(from), to ? Number(to) + 1 : undefined), { status: 206 });
}
