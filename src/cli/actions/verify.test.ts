import { expect, test } from 'vitest';
import { emptyTally } from '../../event/event.ts';
import { plain } from '../paint.ts';
import { unproved, verdict } from './verify.ts';

const verified = {
  checks: [{ code: 'raw.events.ledger', text: 'raw.events adds up', ok: true }],
  ...{ findings: [], ledger: emptyTally, waiting: 0, events: 0, quarantined: 0 },
  expired: [],
};
const range = { stream: 'arn:aws:kinesis:eu-west-1:1:stream/e', shard: 'shardId-000000000001' };

test('of a lake without tables there is no verdict: its folder may be misspelt', () => {
  const text = verdict({ ...verified, checks: [] }, plain);
  expect(text).toContain('No tables yet');
  expect(text).not.toContain('each once');
});

test('a proof that left the stream out says so', () => {
  const left = (codes: string[], is: 'embedded' | 'elsewhere' | 'missing') =>
    unproved({ checks: codes.map((code) => ({ code, text: code, ok: true })) }, { stream: 'events', is });
  expect(left(['raw.events.ledger', 'stream.received'], 'embedded')).toBeUndefined();
  expect(left([], 'embedded')).toBeUndefined();
  expect(left(['raw.events.ledger'], 'embedded')).toContain('raw has no position in it');
  expect(left(['raw.events.ledger'], 'elsewhere')).toContain('only the embedded one');
  expect(left(['raw.events.ledger'], 'missing')).toContain('there is none of this name');
});

test('the verdict names what may have expired unread: stream, shard, positions and times, as far as they are known', () => {
  const of = (expired: Parameters<typeof verdict>[0]['expired']) =>
    verdict({ ...verified, expired }, plain)
      .split('\n')
      .filter((line) => line.includes('may have expired unread'));
  expect(of([])).toEqual([]);
  const since_ms = Date.UTC(2026, 0, 15);
  const until_ms = Date.UTC(2026, 0, 16);
  expect(
    of([
      { ...range, from: '7', to: '9', since_ms, until_ms },
      { ...range, from: '9', to: 'end' },
    ]),
  ).toEqual([
    expect.stringMatching(
      /^shardId-000000000001 of arn:\S+stream\/e: .*between 7 and 9, .*2026-01-15T00:00:00\.000Z and 2026-01-16/,
    ),
    expect.stringMatching(/between 9 and end, .*its beginning and its end/),
  ]);
});
