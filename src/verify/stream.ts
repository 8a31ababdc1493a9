/**
 * The stream once more, from its beginning to the positions that raw has committed: every event in it has its
 * identity in raw, everything else stands in quarantine, and where nothing was trimmed the count is what was received.
 */
import { Failure } from '../base/base.ts';
import type { RecordPlace } from '../engine/engine.ts';
import type { DataFile, Table } from '../lake/lake.ts';
import type { Position, Spool, Stream, StreamDescription } from '../stream/stream.ts';
import { PIN, tableState } from '../tables/tables.ts';
import type { Checklist } from './checklist.ts';
import type { VerifyOptions } from './verify.ts';

type Input = VerifyOptions & {
  raw: Table;
  held: readonly DataFile[];
  /** By stream. */
  crashed: ReadonlyMap<string, readonly RecordPlace[]>;
};

export async function recountStream(list: Checklist, input: Input, stream: Stream): Promise<void> {
  const description = await stream.describe();
  const { [PIN]: pin, ...committed } = tableState(input.raw).positions[description.id] ?? {};
  if (pin === undefined || Object.keys(committed).length === 0) return;
  const crashed = input.crashed.get(description.id) ?? [];
  const sum = { records: 0, missing: 0, rejected: 0 };
  for await (const spool of spoolsUpTo(input, { stream, description, pin, committed })) {
    await using judged = await input.engine.judge(
      {
        ...{ path: spool.path, shards: spool.shards, stream: description.id, upTo: committed },
        crashedAt: crashed.filter((place) => isWithin(spool, place)),
      },
      input.limits,
    );
    sum.records += judged.records;
    sum.rejected += judged.rejected;
    sum.missing += await judged.missingFrom(input.held);
  }
  // What was not read was not compared: a count of it would be a finding about nothing.
  if (input.signal.aborted) throw stopped();
  const state = tableState(input.raw);
  list.equal('stream.missing', 'the stream: every event of it is in raw', {
    expected: 0,
    found: sum.missing,
  });
  const streams = Object.keys(state.positions).length;
  const whole = streams === 1 && input.clock.now() - description.createdAt_ms < description.retention_ms;
  if (!whole) return;
  list.equal('stream.received', 'the stream: its records up to the committed positions = received', {
    expected: sum.records,
    found: state.ledger.received,
  });
  list.equal('stream.quarantined', 'the stream: what is no event = quarantined', {
    expected: sum.rejected,
    found: state.ledger.quarantined,
  });
}

/** Reads on until every committed shard was passed; what lies behind is left out by position. */
async function* spoolsUpTo(
  input: Input,
  {
    stream,
    description,
    pin,
    committed,
  }: {
    stream: Stream;
    description: StreamDescription;
    pin: string;
    committed: Readonly<Record<string, string>>;
  },
): AsyncGenerator<Spool> {
  const taking = await stream.take({
    stream: description,
    positions: new Map<string, Position>(),
    pin: pin as 'TRIM_HORIZON',
    spoolFolder: input.spoolFolder,
    maxRows: input.maxRows,
    maxBytes: input.maxBytes,
    maxAge_ms: 1_000,
    spoolsAhead: 1,
    poll_ms: 50,
    until_ms: await stream.serverTime(),
    signal: input.signal,
  });
  const ahead = new Set(Object.keys(committed));
  try {
    while (ahead.size > 0) {
      await using spool = await taking.next();
      if (spool === undefined) return;
      for (const [shard, { to }] of spool.ranges) {
        if (passed(to, committed[shard])) ahead.delete(shard);
      }
      if (spool.rows > 0) yield spool;
    }
  } finally {
    await taking.abandon();
  }
}

function isWithin({ ranges }: Spool, { shard, sequenceNumber }: RecordPlace): boolean {
  const range = ranges.get(shard);
  return range !== undefined && !passed(range.from, sequenceNumber) && passed(range.to, sequenceNumber);
}

function passed(to: Position, committed: string | undefined): boolean {
  if (committed === undefined || to === 'end' || to === 'passed') return true;
  return /^\d/.test(to) && /^\d/.test(committed) && BigInt(to) >= BigInt(committed);
}

function stopped(): Failure {
  return new Failure('the lake was not verified to the end', {
    code: 'verify.interrupted',
    fault: 'user',
    why: 'it was stopped while it recounted the stream',
    hint: 'run lakeward verify again',
  });
}
