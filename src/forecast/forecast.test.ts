import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_WORKLOAD, type Forecast, forecast, type Workload } from './forecast.ts';
import { FIGURES } from './measured.ts';
import { GIB, HOURS_PER_MONTH, PRICES, total } from './prices.ts';
import { taskCharges } from './processors.ts';

const of = (asked: Partial<Workload>): Forecast => forecast({ ...DEFAULT_WORKLOAD, ...asked });
const cost = ({ charges }: Forecast, prefix: string) =>
  total(charges.filter(({ item }) => item.startsWith(prefix)));

const workloads = fc.record({
  events_per_hour: fc.integer({ min: 1, max: 1e11 }),
  event_bytes: fc.integer({ min: 1, max: 50_000 }),
  events_per_record: fc.integer({ min: 1, max: 20 }),
  event_types: fc.integer({ min: 1, max: 5_000 }),
  retention_ms: fc.integer({ min: 3_600_000, max: 10 * 365 * 86_400_000 }),
  commitInterval_ms: fc.integer({ min: 100, max: 86_400_000 }),
});

/** Everything that is bought or counted, by name: none of it may fall when there is more to do. */
const quantities = (f: Forecast): Record<string, number> => ({
  dollars: f.dollars,
  onDemand: total(f.alternatives.onDemandStream),
  fanOut: total(f.alternatives.fanOut),
  firehose: f.alternatives.firehose.plain_dollars,
  partitioned: f.alternatives.firehose.partitioned_dollars,
  shards: f.stream.shards,
  vcpu: f.processors.tasks * f.processors.vcpu,
  files_per_day: f.lake.files_per_day,
  puts_per_month: f.lake.puts_per_month,
  gets_per_month: f.lake.gets_per_month,
  heartbeats_per_month: f.lake.heartbeats_per_month,
  stored_gib: f.lake.stored_gib,
});

const falling = (less: Forecast, more: Forecast): string[] => {
  const [a, b] = [quantities(less), quantities(more)];
  return Object.keys(a).filter((name) => b[name]! < a[name]! * (1 - 1e-9));
};

describe('the forecast', () => {
  it('never gets smaller with the rate', () => {
    fc.assert(
      fc.property(workloads, fc.integer({ min: 0, max: 1e11 }), (workload, added) => {
        const more = { ...workload, events_per_hour: workload.events_per_hour + added };
        expect(falling(forecast(workload), forecast(more))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never gets smaller with the size of an event, or with the retention', () => {
    fc.assert(
      fc.property(
        workloads,
        fc.integer({ min: 0, max: 2_000 }),
        fc.integer({ min: 0 }),
        (workload, bytes, ms) => {
          const larger = { ...workload, event_bytes: workload.event_bytes + bytes };
          expect(falling(forecast(workload), forecast(larger))).toEqual([]);
          const longer = { ...workload, retention_ms: workload.retention_ms + ms };
          expect(falling(forecast(workload), forecast(longer))).toEqual([]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('grows in proportion where the steps of whole shards and tasks no longer show', () => {
    fc.assert(
      fc.property(workloads, fc.integer({ min: 2, max: 10 }), (workload, factor) => {
        const events_per_hour = 1e11 + workload.events_per_hour;
        const [one, many] = [
          forecast({ ...workload, events_per_hour }),
          forecast({ ...workload, events_per_hour: events_per_hour * factor }),
        ];
        for (const name of ['dollars', 'shards', 'vcpu', 'stored_gib', 'partitioned']) {
          const ratio = quantities(many)[name]! / quantities(one)[name]!;
          // Firehose's first tiers cost more.
          expect(ratio / factor).toBeGreaterThan(name === 'partitioned' ? 0.95 : 0.99);
          expect(ratio / factor).toBeLessThan(1.01);
        }
      }),
    );
  });

  it('adds up: every charge is its quantity times its price, and the sum is what is said', () => {
    fc.assert(
      fc.property(workloads, (workload) => {
        const f = forecast(workload);
        const { firehose, onDemandStream, fanOut } = f.alternatives;
        const all = [...f.charges, ...onDemandStream, ...fanOut, ...firehose.plain, ...firehose.partitioned];
        for (const { quantity, price, dollars } of all) {
          expect(quantity).toBeGreaterThanOrEqual(0);
          expect(dollars).toBeCloseTo(quantity * PRICES[price].dollars, 6);
        }
        expect(f.dollars).toBeCloseTo(total(f.charges), 6);
        expect(firehose.plain_dollars).toBeCloseTo(total(firehose.plain), 6);
      }),
    );
  });

  it('has units that agree with one another', () => {
    fc.assert(
      fc.property(workloads, (workload) => {
        const { rate, lake, stream, processors } = forecast(workload);
        const near = (a: number, b: number) => expect(Math.abs(a / b - 1)).toBeLessThan(1e-9);
        near(rate.events_per_s * 3600 * HOURS_PER_MONTH, rate.events_per_month);
        near((rate.bytes_per_s * 3600 * HOURS_PER_MONTH) / GIB, rate.gib_per_month);
        near(lake.commits_per_s * lake.rows_per_commit, rate.events_per_s);
        near(stream.records_per_month * workload.events_per_record, rate.events_per_month);
        // What is stored is the files of the whole retention, at raw's mean size.
        const files = (lake.files_per_day * workload.retention_ms) / 86_400_000;
        near((files * lake.file_bytes) / GIB, lake.stored_gib);
        expect(stream.shards).toBeGreaterThanOrEqual(processors.tasks);
        expect(stream.busy_shards).toBeLessThanOrEqual(stream.shards * FIGURES.utilisation.value);
        expect(processors.busy_cores).toBeLessThanOrEqual(processors.tasks * processors.vcpu);
      }),
    );
  });

  // The same figures, worked out by hand from the prices for events of 1 KiB (2026-11-23).
  it('agrees at a million events an hour with a calculation by hand', () => {
    const f = of({ events_per_hour: 1e6 });
    expect(f.rate.events_per_month).toBe(730e6);
    expect(f.rate.gib_per_month).toBeCloseTo(696.18, 2);
    expect(f.stream.shards).toBe(2);
    expect(cost(f, 'stream, shards')).toBeCloseTo(21.9, 2);
    expect(cost(f, 'stream, PUT')).toBeCloseTo(10.22, 2);
    expect(total(f.alternatives.onDemandStream)).toBeCloseTo(112.74, 2);
    expect(total(f.alternatives.fanOut)).toBeCloseTo(30.95, 2);
    const [intake, conversion] = f.alternatives.firehose.partitioned;
    expect(intake?.dollars).toBeCloseTo(100.95, 2);
    expect(conversion?.dollars).toBeCloseTo(62.66, 2);
    const packed = of({ events_per_hour: 1e6, events_per_record: 20 });
    expect(cost(packed, 'stream, shards') + cost(packed, 'stream, PUT')).toBeCloseTo(22.41, 2);
    expect(total(taskCharges({ tasks: 2, vcpu: 0.25, memory_gib: 0.5 }))).toBeCloseTo(14.42, 2);
  });

  it('agrees at a billion events an hour with a calculation by hand', () => {
    const f = of({ events_per_hour: 1e9 });
    expect(f.stream.busy_shards).toBeCloseTo(284.4, 1);
    expect(f.stream.shards).toBe(407);
    expect(cost(f, 'stream, shards')).toBeCloseTo(4_456.65, 2);
    expect(cost(f, 'stream, PUT')).toBeCloseTo(10_220, 2);
    expect(total(f.alternatives.onDemandStream)).toBeCloseTo(83_571, 0);
    expect(total(f.alternatives.fanOut)).toBeCloseTo(13_507, 0);
    const { firehose } = f.alternatives;
    expect(total(firehose.plain.filter(({ item }) => item === 'Firehose, intake'))).toBeCloseTo(81_906, 0);
    expect(firehose.partitioned.find(({ item }) => item.endsWith('conversion'))?.dollars).toBeCloseTo(
      62_656,
      0,
    );
    // Producers that send five events a record pay for no rounding.
    const packed = of({ events_per_hour: 1e9, events_per_record: 5 }).alternatives.firehose;
    expect(total(packed.plain.filter(({ item }) => item === 'Firehose, intake'))).toBeCloseTo(19_453, 0);
  });

  it('counts a record by what it begins of 25 KB on a stream, and of 5 KB in Firehose', () => {
    const units = (event_bytes: number) => {
      const f = of({ events_per_hour: 1_000, event_bytes });
      return f.stream.putPayloadUnits_per_month / f.stream.records_per_month;
    };
    expect([1, 25 * 1024, 25 * 1024 + 1, 60_000].map(units)).toEqual([1, 1, 2, 3]);
    const billed = (event_bytes: number) => {
      const { alternatives, rate } = of({ events_per_hour: 1_000, event_bytes });
      return Math.round((alternatives.firehose.billed_gib_per_month * GIB) / rate.events_per_month / 1024);
    };
    expect([1, 5 * 1024, 5 * 1024 + 1].map(billed)).toEqual([5, 5, 10]);
  });

  it('counts requests: two writers, a commit a minute, twelve types, three files of metadata, two tables', () => {
    const { lake } = of({ events_per_hour: 1e6 });
    const commits = 2 * 60 * HOURS_PER_MONTH;
    expect(lake.puts_per_month).toBeCloseTo(commits * 2 * (12 + 3), 3);
    expect(lake.gets_per_month).toBeCloseTo(commits * (12 * 3 + 2 * 3), 3);
  });

  it('counts heartbeats by processors, whatever comes: a PUT and a LIST about every ten seconds', () => {
    const quiet = of({ events_per_hour: 1 });
    // 30 s of lease, of which a third, on average a twentieth less, passes between two.
    const apart_s = (30 / 3) * 0.95;
    expect(quiet.lake.heartbeats_per_month).toBeCloseTo((HOURS_PER_MONTH * 3600) / apart_s, 6);
    expect(cost(quiet, 'lake, heartbeats')).toBeCloseTo(2.77, 2);
    const busy = of({ events_per_hour: 1e9 });
    expect(busy.lake.heartbeats_per_month / quiet.lake.heartbeats_per_month).toBeCloseTo(
      busy.processors.tasks,
      9,
    );
  });

  it('commits no more rows and bytes at once than the processor does', () => {
    expect(of({ events_per_hour: 1e10, event_bytes: 100 }).lake.rows_per_commit).toBe(250_000);
    expect(of({ events_per_hour: 1e9, event_bytes: 10_000 }).lake.rows_per_commit).toBe(25_600);
  });

  it('takes a file for every event type, and no more files than events', () => {
    const busy = of({ events_per_hour: 3_600_000, event_types: 12, commitInterval_ms: 10_000 });
    expect(busy.lake.files_per_day).toBeCloseTo(2 * 12 * 8_640 * busy.processors.tasks, 6);
    const quiet = of({ events_per_hour: 1, event_types: 12, commitInterval_ms: 60_000 });
    expect(quiet.lake.files_per_day).toBeCloseTo(2 * 24, 6);
  });

  it('refuses records that no stream takes', () => {
    expect(() => of({ event_bytes: 1_000_000, events_per_record: 2 })).toThrow(
      expect.objectContaining({ code: 'forecast.record_too_large', fault: 'user' }),
    );
  });

  it('says of every price in which unit it is, where it was seen, and whether it is an estimate', () => {
    for (const price of Object.values(of({}).prices.all)) {
      expect(price.dollars).toBeGreaterThan(0);
      expect(price.per).not.toBe('');
      expect(price.certainty === 'estimate' || price.source !== 'from memory').toBe(true);
    }
    expect(of({}).prices).toMatchObject({
      region: 'us-east-1',
      date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    });
  });
});
