import { describe, expect, it } from 'vitest';
import { Failure, type Log, silentLog } from '../base/base.ts';
import type { Finding } from './findings.ts';
import { HealthBook } from './health.ts';
import { OutageLog } from './outage-log.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const failure = (code = 'stream.unreachable') =>
  new Failure('GetRecords: no answer', { code, fault: 'service', retry: 'backoff', why: 'refused' });

const finding = (severity: Finding['severity']): Finding => ({
  ...{ code: 'status.lagging', severity, what: 'far behind', why: 'slow', fix: 'more workers' },
});

function wellAt(now_ms: number): HealthBook {
  const book = new HealthBook(['stream', 'catalog', 'store']);
  for (const service of ['stream', 'catalog', 'store'] as const) book.reached(service, now_ms);
  return book;
}

describe('health', () => {
  it('is starting until every service was reached, then ok', () => {
    const book = new HealthBook(['stream', 'catalog']);
    expect(book.at(0)).toMatchObject({ status: 'starting', reached: { stream: null, catalog: null } });
    book.reached('stream', 1);
    expect(book.at(1).status).toBe('starting');
    book.reached('catalog', 2);
    expect(book.at(2)).toMatchObject({ status: 'ok', reached: { stream: 1, catalog: 2 } });
  });

  it('does not mind a failure that a retry mends', () => {
    const book = wellAt(0);
    book.failed('processor', failure(), 1 * SECOND);
    book.failed('processor', failure(), 2 * SECOND);
    expect(book.at(3 * SECOND).status).toBe('ok');
    book.reached('stream', 4 * SECOND);
    book.succeeded('processor', 4 * SECOND);
    expect(book.at(60 * SECOND).reasons).toEqual([]);
  });

  it('does not mind one failure, however long ago, that nothing followed', () => {
    const book = wellAt(0);
    book.failed('processor', failure(), 1 * SECOND);
    expect(book.at(20 * SECOND).status).toBe('ok');
  });

  it('is degraded once a failure lasts, says why and since when, once for all who meet it, and stays alive', () => {
    const book = wellAt(0);
    book.failed('processor', failure(), 1 * SECOND);
    book.failed('staging', failure(), 2 * SECOND);
    book.failed('processor', failure(), 30 * SECOND);
    book.failed('staging', failure(), 31 * SECOND);
    expect(book.at(40 * SECOND)).toMatchObject({
      status: 'degraded',
      live: true,
      reasons: [{ code: 'stream.unreachable', why: 'refused', since_ms: 1 * SECOND }],
    });
  });

  it('is degraded by a role that fails though every service answers, as on a full disk', () => {
    const book = wellAt(0);
    for (let i = 1; i < 30; i++) {
      book.failed('processor', failure('stream.spool_failed'), i * SECOND);
      book.reached('stream', i * SECOND);
    }
    expect(book.at(30 * SECOND).reasons.map(({ code }) => code)).toEqual(['stream.spool_failed']);
    book.ended('processor', 31 * SECOND);
    expect(book.at(31 * SECOND).status).toBe('ok');
  });

  it('takes a role for well that has not failed for minutes, though it has nothing to show', () => {
    const book = wellAt(0);
    for (let s = 1; s < 60; s++) book.failed('processor', failure('stream.spool_failed'), s * SECOND);
    for (const service of ['stream', 'catalog', 'store'] as const) book.reached(service, 5 * MINUTE);
    expect(book.at(5 * MINUTE).status).toBe('degraded');
    expect(book.at(7 * MINUTE).status).toBe('ok');
  });

  it('is degraded by a shard that fails though the stream answers for all others, until it answers or moves', () => {
    const book = wellAt(0);
    const told = (s: number) => book.at(s * SECOND).reasons.map(({ what }) => what);
    for (let s = 1; s <= 20; s++) {
      book.unreached(failure('kinesis.InternalFailure'), s * SECOND);
      book.shardFailed('shardId-1', failure('kinesis.InternalFailure'), s * SECOND);
      book.reached('stream', s * SECOND);
    }
    expect([told(10), told(20), told(79)]).toEqual([
      [],
      ['shardId-1: GetRecords: no answer'],
      ['shardId-1: GetRecords: no answer'],
    ]);
    expect(told(80)).toEqual([]);
    book.shardAnswered('shardId-1');
    expect(told(20)).toEqual([]);
  });

  it('is degraded when nothing comes back from a service, neither success nor failure', () => {
    const book = wellAt(0);
    expect(book.at(4 * MINUTE).status).toBe('ok');
    expect(book.at(6 * MINUTE).reasons.map(({ code }) => code)).toContain('monitor.silent');
  });

  it('is no longer live when work in hand does not move, and only then', () => {
    const book = wellAt(0);
    book.began('staging', 0);
    expect(book.at(29 * MINUTE).live).toBe(true);
    expect(book.at(31 * MINUTE).live).toBe(false);
    book.ended('staging', 31 * MINUTE);
    expect(book.at(90 * MINUTE).live).toBe(true);
  });

  it('takes over what a look at the lake found, and forgets it when the next finds nothing', () => {
    const book = wellAt(0);
    book.found([finding('note')], 1);
    expect(book.at(1).status).toBe('ok');
    book.found([finding('degraded')], 2);
    book.found([finding('degraded')], 50);
    expect(book.at(60).reasons).toMatchObject([{ code: 'status.lagging', since_ms: 2 }]);
    book.found([], 61);
    expect(book.at(61).status).toBe('ok');
  });

  it('says that it is stopping', () => {
    const book = wellAt(0);
    book.stopping();
    expect(book.at(1)).toMatchObject({ status: 'stopping', live: true });
  });
});

describe('the log of an outage', () => {
  function logged() {
    const lines: string[] = [];
    const write = (id: string) => lines.push(id);
    return { lines, log: { ...silentLog, warn: write, info: write } satisfies Log };
  }

  it('is one line a minute however often it fails, and one when it is over', () => {
    const { lines, log } = logged();
    const outages = new OutageLog(log);
    const book = wellAt(0);
    for (let s = 0; s < 3_600; s++) {
      book.reached('catalog', s * SECOND);
      book.reached('store', s * SECOND);
      book.failed('processor', failure(), s * SECOND);
      outages.tell(book.at(s * SECOND), s * SECOND);
    }
    expect(lines.length).toBe(60);
    expect(new Set(lines)).toEqual(new Set(['health.degraded']));
    book.reached('stream', 3_600 * SECOND);
    book.succeeded('processor', 3_600 * SECOND);
    for (let s = 3_600; s < 4_000; s++) outages.tell(book.at(3_601 * SECOND), s * SECOND);
    expect(lines.slice(60)).toEqual(['health.recovered']);
  });

  it('does not call it over when something works for a moment between two failures', () => {
    const { lines, log } = logged();
    const outages = new OutageLog(log);
    const book = wellAt(0);
    for (let s = 0; s < 600; s++) {
      book.failed('staging', failure('object_store.full'), s * SECOND);
      outages.tell(book.at(s * SECOND), s * SECOND);
      if (s % 30 === 0) book.succeeded('staging', s * SECOND);
      outages.tell(book.at(s * SECOND), s * SECOND);
    }
    expect(new Set(lines)).toEqual(new Set(['health.degraded']));
  });

  it('says nothing while all is well', () => {
    const { lines, log } = logged();
    new OutageLog(log).tell(wellAt(0).at(1), 1);
    expect(lines).toEqual([]);
  });
});
