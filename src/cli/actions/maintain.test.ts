import { expect, test } from 'vitest';
import type { TableReport } from '../../maintenance/maintenance.ts';
import { plain } from '../paint.ts';
import { maintainText } from './maintain.ts';

test('a report says per table what was done to how much, and why, and what was left alone', () => {
  const reports: TableReport[] = [
    {
      table: 'raw.events',
      work: [
        {
          action: 'compact',
          count: 1_200,
          into: 3,
          rows: 9,
          bytes: 2_500_000,
          why: 'many',
          result: 'overtaken',
          detail: 'a file is gone',
        },
        { action: 'expire snapshots', count: 12, into: 30, why: 'old', result: 'done' },
      ],
      left: ['2 files wait'],
    },
    { table: 'staging.events', work: [], left: [] },
  ];
  const lines = maintainText(reports, plain)
    .split('\n')
    .map((line) => line.trimEnd());
  expect(lines).toEqual([
    'table           action            what                size    result     why',
    'raw.events      compact           1,200 into 3 files  2.5 MB  overtaken  a file is gone (many)',
    'raw.events      expire snapshots  12 of 42 snapshots          done       old',
    'staging.events  nothing to do',
    '',
    'raw.events: 2 files wait',
    '',
  ]);
});

test('a folder without tables says how they come to be', () => {
  expect(maintainText([], plain)).toContain('lakeward dev');
});
