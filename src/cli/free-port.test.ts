import { expect, test } from 'vitest';
import { Failure } from '../base/base.ts';
import { isPortTaken, onFreePort } from './free-port.ts';

const taken = new Failure('taken', { code: 'some_server.port_taken', fault: 'user' });

/** Opens from `free` on. */
function opening(free: number) {
  const tried: number[] = [];
  const open = async (port: number) => {
    tried.push(port);
    if (port < free) throw taken;
    return port;
  };
  return { tried, open };
}

test('takes the first free port from the wanted one on', async () => {
  const { tried, open } = opening(8_003);
  expect(await onFreePort(8_000, open)).toBe(8_003);
  expect(tried).toEqual([8_000, 8_001, 8_002, 8_003]);
});

test('gives up after some, and where there are no more', async () => {
  const one = opening(8_001);
  await expect(onFreePort(8_000, one.open, { tries: 1 })).rejects.toSatisfy(isPortTaken);
  expect(one.tried).toEqual([8_000]);
  const end = opening(65_536);
  await expect(onFreePort(65_534, end.open)).rejects.toBe(taken);
  expect(end.tried).toEqual([65_534, 65_535]);
});

test('any other failure than a taken port is nothing that another port mends', async () => {
  const denied = new Failure('denied', { code: 'some_server.cannot_listen', fault: 'user' });
  await expect(onFreePort(80, () => Promise.reject(denied))).rejects.toBe(denied);
});
