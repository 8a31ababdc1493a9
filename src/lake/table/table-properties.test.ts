/** Properties of Iceberg by which a table says how it is to be written. */
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { append, nothingStaged, SMALL, smallFile, smallLake } from '../../../tests/support/small-lake.ts';

const LONG = 'a'.repeat(40);

async function written(properties: Readonly<Record<string, string>>) {
  const { lake, store } = smallLake();
  const definition = { ...SMALL, properties };
  const table = await lake.create('raw.events', definition, { commitId: 'creation', stage: nothingStaged });
  const bounds = { 1: [LONG, LONG], 3: [LONG, LONG], 4: [1, 2] } as const;
  const file = smallFile(lake, table, { bounds, nulls: { 3: 1, 4: 0 } });
  const next = await append(lake, table, { commitId: 'c', files: [file] });
  const [found] = (await lake.files(next)).files;
  return { store, lake, table: next, file: found! };
}

test('statistics are as long as write.metadata.metrics has them, by column or for all', async () => {
  const plain = (await written({})).file;
  expect(plain.lowerBounds.get(1)).toBe(LONG.slice(0, 16));
  expect(plain.upperBounds.get(1)).toBe(`${LONG.slice(0, 15)}b`);

  const { file } = await written({
    'write.metadata.metrics.default': 'truncate(4)',
    'write.metadata.metrics.column.id': 'full',
    'write.metadata.metrics.column.size': 'counts',
    'write.metadata.metrics.column.kind': 'none',
  });
  expect([file.lowerBounds.get(1), file.upperBounds.get(1)]).toEqual([LONG, LONG]);
  expect([file.lowerBounds.get(4), file.nullValueCounts.get(4)]).toEqual([undefined, 0]);
  expect([file.lowerBounds.get(3), file.nullValueCounts.get(3)]).toEqual([undefined, undefined]);
  const four = (await written({ 'write.metadata.metrics.default': 'truncate(4)' })).file;
  expect([four.lowerBounds.get(1), four.upperBounds.get(1)]).toEqual(['aaaa', 'aaab']);
  // What is not understood is as if it were not said.
  const odd = (await written({ 'write.metadata.metrics.default': 'truncate(none)' })).file;
  expect(odd.lowerBounds.get(1)).toBe(LONG.slice(0, 16));
});

test('a table whose metadata is to be gzipped has it gzipped, under the name that readers know', async () => {
  const { store, lake, table } = await written({ 'write.metadata.compression-codec': 'gzip' });
  expect(table.metadataLocation).toMatch(/\/00001-[^/]+\.gz\.metadata\.json$/);
  const bytes = await store.read(table.metadataLocation);
  expect(JSON.parse(gunzipSync(bytes).toString())).toMatchObject({ 'format-version': 2 });
  const next = await append(lake, table, { commitId: 'd', files: [smallFile(lake, table)] });
  expect(next.metadataLocation).toMatch(/\/00002-[^/]+\.gz\.metadata\.json$/);
});
