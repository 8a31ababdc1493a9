import { expect, test } from 'vitest';
import { textPairs, textTable } from './table.ts';

test('columns are aligned, numbers to the right, wide characters counted as two', () => {
  expect(
    textTable(
      ['type', 'rows', 'note'],
      [
        ['lesson', 1234567, 'x'],
        ['支付', 12n, null],
        ['a', undefined, 'é'],
      ],
    ),
  ).toBe(
    ['type         rows  note', 'lesson  1,234,567  x', '支付           12', 'a                  é', ''].join(
      '\n',
    ),
  );
});

test('control characters of an event never reach the terminal', () => {
  const text = textTable(['name'], [['\u001b[2Jgone\u0007\n\u202e']]);
  expect(text).toBe('name\n\\u001b[2Jgone\\u0007\\n\\u202e\n');
});

test('long cells are cut', () => {
  expect(textTable(['document'], [['x'.repeat(50)]], { cellWidth: 10 })).toBe(
    `document\n${'x'.repeat(9)}…\n`,
  );
});

test('a table without rows is its header', () => {
  expect(textTable(['a', 'b'], [])).toBe('a  b\n');
});

test('pairs are aligned', () => {
  expect(
    textPairs([
      ['rows', 12000],
      ['last commit', 'now'],
    ]),
  ).toBe('rows         12,000\nlast commit  now\n');
});

test('what a terminal draws over or beside another character takes no column', () => {
  expect(textTable(['a', 'b'], [['e\u0301\u200b', 'x']])).toBe('a  b\ne\u0301\u200b  x\n');
});
