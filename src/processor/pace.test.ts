import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** A clock of which each sleep is written down and lasts as long as was asked. */
function setup(writers: { count: number }) {
  const slept: number[] = [];
  const clock = {
    now_ms: 1_000_000,
    now: () => clock.now_ms,
    async sleep(ms: number) {
      slept.push(ms);
      clock.now_ms += ms;
    },
  };
  const pace = new Pace({
    clock,
    random: () => 0.5,
    spacing_ms: () => (writers.count > 1 ? writers.count * 1_000 : 0),
  });
  const { signal } = new AbortController();
  return { clock, slept, turn: () => pace.turn(signal) };
}

it('lets a writer that is alone commit as often as it will', async () => {
  const { slept, turn } = setup({ count: 1 });
  for (let i = 0; i < 5; i++) await turn();
  expect(slept).toEqual([]);
});

it('of eight writers keeps each to one commit in eight spacings and a little', async () => {
  const { clock, slept, turn } = setup({ count: 8 });
  await turn();
  await turn();
  clock.now_ms += 2_000;
  await turn();
  clock.now_ms += 60_000;
  await turn();
  expect(slept).toEqual([9_000, 7_000]);
});

it('waits no longer than that when the clock is set back by an hour', async () => {
  const { clock, slept, turn } = setup({ count: 2 });
  await turn();
  clock.now_ms -= 3_600_000;
  await turn();
  expect(slept).toEqual([2_250]);
});
