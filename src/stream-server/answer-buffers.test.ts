import { expect, test } from 'vitest';
import { AnswerBuffers } from './answer-buffers.ts';

const MB = 1024 * 1024;

test('what is given back is used again, if it is large enough', () => {
  const buffers = new AnswerBuffers();
  const first = buffers.take(2 * MB);
  buffers.give(first.subarray(0, 10));
  expect(buffers.take(3 * MB).buffer).not.toBe(first.buffer);
  const again = buffers.take(MB);
  expect(again.buffer).toBe(first.buffer);
  expect(again).toHaveLength(2 * MB);
});

test('one that is lent is lent to nobody else, also when it is given back twice', () => {
  const buffers = new AnswerBuffers();
  const [one, other] = [buffers.take(MB), buffers.take(MB)];
  expect(one.buffer).not.toBe(other.buffer);
  buffers.give(one);
  buffers.give(one);
  expect(buffers.take(MB).buffer).toBe(one.buffer);
  expect(buffers.take(MB).buffer).not.toBe(one.buffer);
});

test('bytes that are not from here are not taken, small and huge ones are not kept', () => {
  const buffers = new AnswerBuffers();
  const foreign = Buffer.alloc(MB);
  buffers.give(foreign);
  const [small, huge] = [buffers.take(100), buffers.take(9 * MB)];
  buffers.give(small);
  buffers.give(huge);
  const taken = buffers.take(MB);
  for (const other of [foreign, small, huge]) expect(taken.buffer).not.toBe(other.buffer);
});

test('few are kept, however many were lent', () => {
  const buffers = new AnswerBuffers();
  const lent = Array.from({ length: 20 }, () => buffers.take(MB));
  for (const buffer of lent) buffers.give(buffer);
  const known = new Set(lent.map(({ buffer }) => buffer));
  const again = Array.from({ length: 20 }, () => buffers.take(MB));
  expect(again.filter(({ buffer }) => known.has(buffer))).toHaveLength(4);
});
