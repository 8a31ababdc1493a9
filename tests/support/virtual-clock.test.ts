import { expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

test('a running clock wakes a short sleep also when a long one took its turn', async () => {
  const clock = new VirtualClock({ running: true });
  const woken: string[] = [];
  const long = clock.sleep(15_000).then(() => woken.push('long'));
  // The long one's own turn of the event loop passes before time is that far.
  await new Promise(setImmediate);
  await clock.sleep(8_000);
  await clock.sleep(8_000);
  await Promise.all([long, clock.sleep(8_000).then(() => woken.push('short'))]);
  expect(woken).toEqual(['long', 'short']);
});
