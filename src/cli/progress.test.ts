import { describe, expect, test } from 'vitest';
import { startProgress } from './progress.ts';

function surroundings({ terminal }: { terminal: boolean }) {
  let now_ms = 0;
  const shown: (string | undefined)[] = [];
  return {
    shown,
    pass: (ms: number) => {
      now_ms += ms;
    },
    clock: { now: () => now_ms, sleep: () => Promise.reject(new Error('progress never sleeps')) },
    screen: {
      terminal,
      columns: 80,
      status: (text: string | undefined) => shown.push(text),
      line: (text: string) => shown.push(`${text}\n`),
    },
  };
}

describe('on a terminal', () => {
  test('one line is redrawn, at most ten times a second, and replaced by the result', () => {
    const around = surroundings({ terminal: true });
    const progress = startProgress({ label: 'sending', unit: 'events', total: 1000 }, around);
    progress.update(10);
    around.pass(100);
    progress.update(500, '2 retries');
    progress.update(600);
    around.pass(900);
    progress.update(1000);
    progress.end();
    progress.end();
    expect(around.shown).toEqual([
      'sending  ████████████░░░░░░░░░░░░ 50%  500 of 1,000 events  5,000/s  100 ms  2 ',
      'sending  ████████████████████████ 100%  1,000 of 1,000 events  1,000/s  1.0 s',
      undefined,
      'sending  1,000 of 1,000 events  1,000/s  1.0 s\n',
    ]);
    for (const line of around.shown) expect(line?.trimEnd().length ?? 0).toBeLessThan(around.screen.columns);
  });
});

describe('elsewhere', () => {
  test('one record is in the singular', () => {
    const around = surroundings({ terminal: false });
    const progress = startProgress({ label: 'sending', unit: 'records sent' }, around);
    around.pass(1000);
    progress.update(1);
    progress.end();
    expect(around.shown).toEqual([undefined, 'sending  1 record sent  1/s  1.0 s\n']);
  });

  test('the rate is that of the time in which the count grew: what comes after does not lower it', () => {
    const around = surroundings({ terminal: false });
    const progress = startProgress({ label: 'sending', unit: 'events' }, around);
    around.pass(1000);
    progress.update(500);
    around.pass(9000);
    progress.update(500, 'staged 500');
    progress.end();
    expect(around.shown.filter((line) => line !== undefined)).toEqual([
      'sending  500 events  500/s  10.0 s  staged 500\n',
      'sending  500 events  500/s  10.0 s  staged 500\n',
    ]);
  });

  test('a plain line is written every five seconds, so that a log is not flooded', () => {
    const around = surroundings({ terminal: false });
    const progress = startProgress({ label: 'sending', unit: 'events' }, around);
    for (let i = 1; i <= 12; i++) {
      around.pass(1000);
      progress.update(i * 100);
    }
    progress.end();
    expect(around.shown.filter((line) => line !== undefined)).toEqual([
      'sending  500 events  100/s  5.0 s\n',
      'sending  1,000 events  100/s  10.0 s\n',
      'sending  1,200 events  100/s  12.0 s\n',
    ]);
  });
});
