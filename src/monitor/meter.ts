/**
 * The values of the metrics. A row's labels are bounded: beyond so many series the rest are recorded under `other`,
 * where counters add up and gauges show the greatest of what was set last.
 */
import { type LabelsOf, METRIC_NAMES, type MetricName, metricRow } from './metrics-table.ts';

const SERIES_MAX = 100;
const OTHER = 'other';

export interface HistogramValue {
  /** Of each bound, not cumulative; one more for what is greater than all. */
  buckets: number[];
  sum: number;
  count: number;
}

export interface Series<Value = number | HistogramValue> {
  labels: Readonly<Record<string, string>>;
  value: Value;
}

export class Meter {
  readonly #series = new Map<MetricName, Map<string, Series>>();

  add<Name extends MetricName>(name: Name, amount: number, labels: LabelsOf<Name>): void {
    const series = this.#find(name, labels, () => 0) as Series<number>;
    series.value += amount;
  }

  set<Name extends MetricName>(name: Name, value: number, labels: LabelsOf<Name>): void {
    (this.#find(name, labels, () => 0) as Series<number>).value = value;
  }

  /** All values of a gauge anew: what is not named is no longer there. */
  setAll<Name extends MetricName>(
    name: Name,
    values: Iterable<readonly [labels: LabelsOf<Name>, value: number]>,
  ): void {
    this.#series.delete(name);
    for (const [labels, value] of values) {
      const series = this.#find(name, labels, () => Number.NEGATIVE_INFINITY) as Series<number>;
      series.value = Math.max(series.value, value);
    }
  }

  observe<Name extends MetricName>(name: Name, value: number, labels: LabelsOf<Name>): void {
    const bounds = metricRow(name).bounds ?? [];
    const empty = (): HistogramValue => ({
      buckets: new Array<number>(bounds.length + 1).fill(0),
      sum: 0,
      count: 0,
    });
    const histogram = this.#find(name, labels, empty).value as HistogramValue;
    const bucket = bounds.findIndex((bound) => value <= bound);
    histogram.buckets[bucket === -1 ? bounds.length : bucket]!++;
    histogram.sum += value;
    histogram.count++;
  }

  /** In the order of the table; metrics without a value are left out. */
  *read(): Generator<{ name: MetricName; series: readonly Series[] }> {
    for (const name of METRIC_NAMES) {
      const series = this.#series.get(name);
      if (series !== undefined && series.size > 0) yield { name, series: [...series.values()] };
    }
  }

  #find(
    name: MetricName,
    labels: Readonly<Record<string, string>>,
    initial: () => number | HistogramValue,
  ): Series {
    const all = this.#series.get(name) ?? new Map<string, Series>();
    this.#series.set(name, all);
    const known = all.get(keyOf(labels));
    if (known !== undefined) return known;
    const kept =
      all.size < SERIES_MAX ? labels : Object.fromEntries(Object.keys(labels).map((label) => [label, OTHER]));
    const key = keyOf(kept);
    const series = all.get(key) ?? { labels: kept, value: initial() };
    all.set(key, series);
    return series;
  }
}

const keyOf = (labels: Readonly<Record<string, string>>) => JSON.stringify(Object.values(labels));
