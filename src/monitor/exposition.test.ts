import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTENT_TYPES, exposition, formatFor } from './exposition.ts';
import { Meter } from './meter.ts';
import { METRIC_NAMES, metricRow, prometheusName } from './metrics-table.ts';

interface Family {
  type: string;
  help: string;
  unit: string | undefined;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

// A line ends with a line feed and nothing else: the dot is to take a U+2028 too.
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\n|\\")*)"(,|$)/y;

/** Strict: a line that no scraper has to understand is an error, and so is a sample outside its family. */
function parse(text: string, { openMetrics }: { openMetrics: boolean }): Map<string, Family> {
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.slice(0, -1).split('\n');
  if (openMetrics) expect(lines.pop()).toBe('# EOF');
  const families = new Map<string, Family>();
  let family: Family | undefined;
  let name = '';
  for (const line of lines) {
    const [, keyword, of, rest] = /^# (HELP|TYPE|UNIT) (\S+) (.*)$/s.exec(line) ?? [];
    if (keyword === 'HELP') {
      expect(families.has(of!)).toBe(false);
      name = of!;
      family = { type: '', help: rest!, unit: undefined, samples: [] };
      families.set(name, family);
    } else if (keyword !== undefined) {
      expect(of).toBe(name);
      if (keyword === 'TYPE') family!.type = rest!;
      else family!.unit = rest!;
    } else {
      const [, sample, labels = '', value] = SAMPLE.exec(line) ?? expect.fail(`not a sample: ${line}`);
      expect(suffixesOf(family!.type, openMetrics).map((suffix) => name + suffix)).toContain(sample);
      const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
      family!.samples.push({ name: sample!, labels: labelsOf(labels), value: number });
    }
  }
  return families;
}

function suffixesOf(type: string, openMetrics: boolean): string[] {
  if (type === 'histogram') return ['_bucket', '_sum', '_count'];
  return type === 'counter' && openMetrics ? ['_total'] : [''];
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? expect.fail(`not labels: ${text}`);
    expect(labels).not.toHaveProperty(name!);
    labels[name!] = value!.replace(/\\(.)/gs, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

function filled(): Meter {
  const meter = new Meter();
  meter.add('lakeward.events.received', 3, { table: 'raw.events' });
  meter.add('lakeward.events.received', 4, { table: 'raw.events' });
  meter.add('lakeward.events.received', 5, { table: 'staging.events' });
  meter.set('lakeward.source.lag', 1.5, {});
  for (const value of [0.01, 0.02, 7, 1000])
    meter.observe('lakeward.commit.duration', value, { table: 'raw.events' });
  return meter;
}

describe.each([{ openMetrics: false }, { openMetrics: true }])('the exposition, %o', ({ openMetrics }) => {
  const read = (meter: Meter) =>
    parse(exposition(meter, openMetrics ? 'openmetrics' : 'prometheus'), { openMetrics });

  it('adds counters up, each series alone', () => {
    const family = read(filled()).get(
      openMetrics ? 'lakeward_events_received' : 'lakeward_events_received_total',
    )!;
    expect(family.type).toBe('counter');
    expect(family.samples.map(({ labels, value }) => [labels['table'], value])).toEqual([
      ['raw.events', 7],
      ['staging.events', 5],
    ]);
  });

  it('gives buckets that only grow and end with the count', () => {
    const { samples, type } = read(filled()).get('lakeward_commit_duration_seconds')!;
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'));
    expect(type).toBe('histogram');
    expect(buckets.map((b) => b.value)).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4]);
    expect(buckets.at(-1)!.labels['le']).toBe('+Inf');
    expect(buckets.map((b) => Number(b.labels['le']!.replace('+Inf', 'Infinity')))).toEqual([
      ...metricRow('lakeward.commit.duration').bounds!,
      Number.POSITIVE_INFINITY,
    ]);
    expect(samples.find(({ name }) => name.endsWith('_sum'))!.value).toBeCloseTo(1007.03);
    expect(samples.find(({ name }) => name.endsWith('_count'))!.value).toBe(4);
  });

  it('keeps any text of a label as it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\u2028', '\u2029', '\r')),
        (table) => {
          const meter = new Meter();
          meter.set('lakeward.table.rows', 1, { table });
          expect(read(meter).get('lakeward_table_rows')!.samples).toEqual([
            { name: 'lakeward_table_rows', labels: { table }, value: 1 },
          ]);
        },
      ),
    );
  });
});

it('names units in OpenMetrics where a name ends with one', () => {
  const families = parse(exposition(filled(), 'openmetrics'), { openMetrics: true });
  expect(families.get('lakeward_source_lag_seconds')!.unit).toBe('seconds');
});

it('is OpenMetrics for those who ask for it, and the older format for all others', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1';
  expect(formatFor(prometheus)).toBe('openmetrics');
  expect(formatFor(undefined)).toBe('prometheus');
  expect(formatFor('*/*')).toBe('prometheus');
  expect(CONTENT_TYPES.prometheus).toContain('version=0.0.4');
});

describe('series', () => {
  it('beyond a hundred of a counter add up under other', () => {
    const meter = new Meter();
    for (let i = 0; i < 250; i++) meter.add('lakeward.events.received', 1, { table: `marts.t${i}` });
    const series = [...meter.read()][0]!.series;
    expect(series.length).toBe(101);
    expect(series.find(({ labels }) => labels['table'] === 'other')!.value).toBe(150);
    expect(series.reduce((sum, { value }) => sum + (value as number), 0)).toBe(250);
  });

  it('beyond a hundred of a gauge show the greatest under other', () => {
    const meter = new Meter();
    const shards = Array.from({ length: 1000 }, (_, i) => [{ shard: `s${i}` }, 1000 - i] as const);
    meter.setAll('lakeward.shard.lag', shards);
    const series = [...meter.read()][0]!.series;
    expect(series.length).toBe(101);
    expect(series.at(-1)).toEqual({ labels: { shard: 'other' }, value: 900 });
  });

  it('that are set anew forget those that are gone', () => {
    const meter = new Meter();
    meter.setAll('lakeward.shard.lag', [[{ shard: 'a' }, 1]]);
    meter.setAll('lakeward.shard.lag', [[{ shard: 'b' }, 2]]);
    expect([...meter.read()][0]!.series).toEqual([{ labels: { shard: 'b' }, value: 2 }]);
  });
});

describe('the table of metrics', () => {
  it('makes names that follow Prometheus’ conventions, no two alike', () => {
    const names = METRIC_NAMES.map(prometheusName);
    expect(new Set(names).size).toBe(names.length);
    for (const [i, name] of names.entries()) {
      const { kind, unit, bounds } = metricRow(METRIC_NAMES[i]!);
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect([name, name.endsWith('_total')]).toEqual([name, kind === 'counter']);
      if (unit === 's') expect(name).toContain('_seconds');
      if (unit === 'By') expect(name).toContain('_bytes');
      expect([name, bounds !== undefined]).toEqual([name, kind === 'histogram']);
    }
  });
});
