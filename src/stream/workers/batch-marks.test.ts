/** What processes leave of batches that they had in hand, over one memory store. */
import { expect, it } from 'vitest';
import { VirtualClock } from '../../../tests/support/virtual-clock.ts';
import { openMemoryStore } from '../../object-store/object-store.ts';
import { BatchMarks } from '../stream.ts';

const STREAM = 'arn:aws:kinesis:eu-west-1:000000000000:stream/events@1';
const START = { 'shardId-1': '', 'shardId-2': '' };
const LATER = { 'shardId-1': '99', 'shardId-2': '' };

function world() {
  const clock = new VirtualClock();
  const store = openMemoryStore({ clock });
  let lives = 0;
  const life = (stream = STREAM) => new BatchMarks(store, { stream, id: `life-${++lives}` });
  const left = async () => {
    const locations: string[] = [];
    for await (const { location } of store.list(store.root)) locations.push(location);
    return locations.map((location) => location.slice(store.root.length)).sort();
  };
  return { clock, store, life, left };
}

it('are counted where a later batch begins as theirs did in some shard', async () => {
  const { life } = world();
  expect(await life().set(LATER, LATER)).toBe(0);
  expect(await life().set({ 'shardId-1': '99' }, LATER)).toBe(1);
  expect(await life().set({ 'shardId-2': '' }, LATER)).toBe(1);
  expect(await life().set(LATER, LATER)).toBe(3);
  expect(await life().set({ 'shardId-1': '98', 'shardId-3': '' }, LATER)).toBe(0);
});

it('are one of each process, however often it begins', async () => {
  const { life, left } = world();
  const here = life();
  expect([await here.set(START, START), await here.set(START, START)]).toEqual([0, 0]);
  expect(await left()).toEqual(['/.judging/life-1.json']);
  expect(await life().set(START, START)).toBe(1);
});

it('go when they are struck out, and not for who has none', async () => {
  const { life, left } = world();
  await life().clear();
  const here = life();
  await here.set(START, START);
  await here.clear();
  expect(await left()).toEqual([]);
});

it('go once the table is beyond all of their shards, and not before', async () => {
  const { life, left } = world();
  await life().set({ 'shardId-1': '99', 'shardId-2': '7' }, {});
  await life().set({ 'shardId-1': '' }, {});
  const now = life();
  await now.set({}, { 'shardId-1': '100', 'shardId-2': '7' });
  expect(await left()).toEqual(['/.judging/life-1.json', '/.judging/life-3.json']);
  await now.set({}, { 'shardId-1': 'end', 'shardId-2': '8' });
  expect(await left()).toEqual(['/.judging/life-3.json']);
});

it('of another stream are neither counted nor removed, nor is what no process wrote', async () => {
  const { store, life, left } = world();
  await life('another@1').set(START, START);
  await store.write(`${store.root}/.judging/strange.json`, Buffer.from('null'));
  expect(await life().set(START, LATER)).toBe(0);
  expect(await left()).toHaveLength(3);
});

it('of what is committed go, and those of what is in hand beside it stay', async () => {
  const { life, left } = world();
  const here = life();
  await here.set({ 'shardId-1': '99' }, {});
  await here.set({ 'shardId-2': '7' }, {});
  await here.clear(['shardId-1']);
  const next = life();
  expect(await next.set({ 'shardId-2': '7' }, {})).toBe(1);
  await next.clear();
  await here.clear(['shardId-2', 'shardId-3']);
  expect(await left()).toEqual([]);
});

it('stay where a batch begins while the one before it is struck out', async () => {
  const { store, left } = world();
  const late = Promise.withResolvers<void>();
  const slow = { ...store, delete: (gone: string[]) => late.promise.then(() => store.delete(gone)) };
  const here = new BatchMarks(slow, { stream: STREAM, id: 'here' });
  await here.set({ 'shardId-1': '99' }, {});
  const both = [here.clear(['shardId-1']), here.set({ 'shardId-2': '7' }, {})];
  late.resolve();
  await Promise.all(both);
  expect(await left()).toEqual(['/.judging/here.json']);
});

it('go after a month, whatever became of their stream and its shards', async () => {
  const { clock, life, left } = world();
  await life().set({ 'shardId-1': '99' }, {});
  await life('another@1').set(START, START);
  const passed = async (days: number) => {
    await clock.advance(days * 86_400_000);
    return life().set({ 'shardId-1': '99' }, {});
  };
  expect(await passed(29)).toBe(1);
  expect(await passed(2)).toBe(1);
  expect(await left()).toEqual(['/.judging/life-3.json', '/.judging/life-4.json']);
});

it('that cannot be removed fail nobody', async () => {
  const { store, life } = world();
  const cannot = { ...store, delete: () => Promise.reject(new Error('access denied')) };
  const marks = new BatchMarks(cannot, { stream: STREAM, id: 'here' });
  await life().set(START, START);
  expect(await marks.set(LATER, { 'shardId-1': '99', 'shardId-2': '1' })).toBe(1);
  await marks.clear();
});
