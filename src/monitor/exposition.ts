/** The text that Prometheus scrapes: its format 0.0.4, or OpenMetrics 1.0 for those who ask for it. */
import type { HistogramValue, Meter, Series } from './meter.ts';
import { type MetricName, metricRow, prometheusName } from './metrics-table.ts';

export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Prometheus names both in Accept, OpenMetrics first; whoever names neither gets the older one. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  return /application\/openmetrics-text/.test(accept ?? '') ? 'openmetrics' : 'prometheus';
}

export function exposition(meter: Meter, format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const { name, series } of meter.read()) {
    lines.push(...head(name, format));
    for (const each of series) lines.push(...samples(name, each));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return lines.map((line) => `${line}\n`).join('');
}

function head(name: MetricName, format: ExpositionFormat): string[] {
  const { kind, unit, meaning } = metricRow(name);
  const full = prometheusName(name);
  // In OpenMetrics a counter's family has no `_total`; its samples have.
  const family = format === 'openmetrics' && kind === 'counter' ? full.replace(/_total$/, '') : full;
  const base = { s: 'seconds', By: 'bytes' }[unit];
  const named = format === 'openmetrics' && base !== undefined && family.endsWith(`_${base}`);
  return [
    `# HELP ${family} ${escapeHelp(meaning)}`,
    `# TYPE ${family} ${kind}`,
    ...(named ? [`# UNIT ${family} ${base}`] : []),
  ];
}

function samples(name: MetricName, { labels, value }: Series): string[] {
  const full = prometheusName(name);
  if (typeof value === 'number') return [`${full}${labelText(labels)} ${number(value)}`];
  return histogramSamples(full, { labels, value, bounds: metricRow(name).bounds ?? [] });
}

function histogramSamples(
  name: string,
  { labels, value, bounds }: Series<HistogramValue> & { bounds: readonly number[] },
): string[] {
  let cumulative = 0;
  const buckets = value.buckets.map((count, i) => {
    cumulative += count;
    const le = i < bounds.length ? number(bounds[i]!) : '+Inf';
    return `${name}_bucket${labelText({ ...labels, le })} ${cumulative}`;
  });
  return [
    ...buckets,
    `${name}_sum${labelText(labels)} ${number(value.sum)}`,
    `${name}_count${labelText(labels)} ${value.count}`,
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeLabel = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
const escapeHelp = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const number = (value: number) =>
  value === Number.POSITIVE_INFINITY ? '+Inf' : value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
