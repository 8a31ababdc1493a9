import { expect, it } from 'vitest';
import { VirtualClock } from '../../tests/support/virtual-clock.ts';
import { type Fields, type Log, silentLog } from './base.ts';
import { limitedLog } from './log-limit.ts';

function setup() {
  const lines: [string, Fields | undefined][] = [];
  const clock = new VirtualClock();
  const write = (id: string, _text: string, fields?: Fields) => lines.push([id, fields]);
  const inner: Log = { ...silentLog, info: write, warn: write, error: write, child: () => inner };
  return { lines, clock, log: limitedLog(inner, clock) };
}

it('writes a warning ten times a minute, and then says how many were left out', () => {
  const { lines, clock, log } = setup();
  for (let i = 0; i < 500; i++) log.warn('a.b', 'again');
  expect(lines.length).toBe(10);
  clock.advance(60_000);
  log.warn('a.b', 'again', { code: 'x' });
  expect(lines.slice(10)).toEqual([['a.b', { code: 'x', not_written: 490 }]]);
});

it('lets other messages through, and counts those of a child with its parent’s', () => {
  const { lines, log } = setup();
  for (let i = 0; i < 15; i++) log.error('a.b', 'again');
  log.error('a.c', 'another');
  log.child({ shard: 's' }).error('a.b', 'again');
  expect(lines.map(([id]) => id)).toEqual([...new Array(10).fill('a.b'), 'a.c']);
});

it('leaves out nothing that is no warning', () => {
  const { lines, log } = setup();
  for (let i = 0; i < 50; i++) log.info('a.b', 'a commit');
  expect(lines.length).toBe(50);
});
