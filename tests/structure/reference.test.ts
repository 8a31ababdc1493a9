import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referencePages } from '../../src/cli/cli.ts';
import { compatibilityPage, PATH } from '../interop/compatibility-page.ts';
import { ROOT } from './project-files.ts';

const pages = [...referencePages(), { path: PATH, text: compatibilityPage() }];

test.each(pages)('$path is what the code says; else run: make reference', ({ path, text }) => {
  expect(readFileSync(`${ROOT}${path}`, 'utf8')).toBe(text);
});
