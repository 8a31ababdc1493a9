/** What a terminal would obey, in text. */
import { expect, it } from 'vitest';
import { visible, visibleJson, visibleLines } from './visible.ts';

const HOSTILE = '\u001b[2J\u0007\u009b31m\u007f\u202e';

it('what a terminal obeys is shown instead, and everything else stays', () => {
  expect(visible(`a\tb\n${HOSTILE}日本 é`)).toBe('a\\tb\\n\\u001b[2J\\u0007\\u009b31m\\u007f\\u202e日本 é');
  expect(visibleLines('a\nb\r\u001b')).toBe('a\nb\\r\\u001b');
  const json = visibleJson(`${JSON.stringify({ x: HOSTILE }, undefined, 1)}\n`);
  expect(json).not.toContain('\u009b');
  expect(JSON.parse(json)).toEqual({ x: HOSTILE });
});
