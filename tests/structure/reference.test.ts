import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referencePages } from '../../src/cli/cli.ts';
import { ROOT } from './project-files.ts';

test.each(referencePages())('$path is what the code says; else run: npm run reference', ({ path, text }) => {
  expect(readFileSync(`${ROOT}${path}`, 'utf8')).toBe(text);
});
