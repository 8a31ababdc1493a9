import { expect, test } from 'vitest';
import { suitsSpark } from './rewrite.ts';

const file = { location: 's3://lake/1.parquet', fileSize: 40e6, recordCount: 1, partition: [] };
const partition = [20_454, 'lesson'];

test.each([
  ['the files of a partition that are large enough together', { files: [file, file], partition }, true],
  ['small files', { files: [file], partition }, false],
  ['files whose rows say where they belong', { files: [file, file] }, false],
  ['files whose rows have ids', { files: [file, { ...file, firstRowId: 7 }], partition }, false],
  ['files without field ids', { files: [file, { ...file, nameMapped: true }], partition }, false],
] as const)('of %s', (_, input, suits) => {
  expect(suitsSpark(input, 64e6)).toBe(suits);
});
