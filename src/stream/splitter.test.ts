import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { evenHashKeyRanges } from '../kinesis/kinesis.ts';
import { type RawBody, Splitter } from './splitter.ts';

const ASKED = { shard: 0, after: undefined, hashKeys: evenHashKeyRanges(1)[0]! };

function bodyOf(count: number): RawBody {
  const Records = Array.from({ length: count }, (_, i) => ({
    SequenceNumber: String(i + 1),
    ApproximateArrivalTimestamp: 1_767_225_600,
    Data: Buffer.from('{}').toString('base64'),
    PartitionKey: 'k',
  }));
  const text = JSON.stringify({ Records, MillisBehindLatest: 0, NextShardIterator: 'next' });
  return { bytes: Buffer.from(new TextEncoder().encode(text).buffer), encoding: 'json' };
}

test('who comes after one that was closed in mid-work gets its own answers, and nothing of the other’s spool', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'splitter-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const first = new Splitter();
  const path = join(folder, 'first.parquet');
  const asked = first.split({ ...ASKED, path, body: bodyOf(3) });
  await first.close();
  expect((await asked).spooled.rows).toBe(3);
  await expect(first.finish(path)).rejects.toMatchObject({ code: 'stream.splitter_ended' });

  const second = new Splitter();
  const answer = await second.split({ ...ASKED, path: join(folder, 'second.parquet'), body: bodyOf(2) });
  expect(answer.spooled.rows).toBe(2);
  await second.close();
});
