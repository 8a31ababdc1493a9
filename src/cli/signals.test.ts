import { expect, test } from 'vitest';
import { stopOnSignals } from './signals.ts';

function listening() {
  const listeners: Record<string, () => void> = {};
  const exits: number[] = [];
  const signal = stopOnSignals({
    on: (name, listener) => {
      listeners[name] = listener;
    },
    exit: (code) => exits.push(code),
  });
  return { signal, exits, send: (name: string) => listeners[name]!() };
}

test('the first Ctrl-C asks to finish, the second stops at once with 130', () => {
  const { signal, exits, send } = listening();
  expect(signal.aborted).toBe(false);
  send('SIGINT');
  expect(signal.aborted).toBe(true);
  expect(exits).toEqual([]);
  send('SIGINT');
  expect(exits).toEqual([130]);
});

test('a second SIGTERM stops at once with 143', () => {
  const { exits, send } = listening();
  send('SIGTERM');
  send('SIGTERM');
  expect(exits).toEqual([143]);
});
