/** A table's rows in figures, as icebird reads them: Iceberg, Avro and Parquet in JavaScript, without a line of ours. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { icebergRead } from 'icebird';
import { expect, vi } from 'vitest';
import { ourContents } from './our-contents.ts';
import { ASKED, contentsOf } from './questions.ts';
import type { WrittenLake } from './written-lake.ts';

/** That it counts what we count. */
export async function expectReadByIcebird(written: WrittenLake, name: string): Promise<void> {
  vi.stubGlobal('fetch', fetchFile);
  try {
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
  } finally {
    vi.unstubAllGlobals();
  }
}

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
