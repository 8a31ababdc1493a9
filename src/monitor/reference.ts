/** docs/reference/metrics.md, from the table. */
import { METRIC_NAMES, type MetricName, metricRow, prometheusName } from './metrics-table.ts';

export function metricsPage(): string {
  const rows = METRIC_NAMES.map((name) => {
    const { kind, unit, labels, meaning } = metricRow(name);
    const cells = [
      `\`${prometheusName(name)}\``,
      `${kind}, \`${unit}\``,
      labels.map((label) => `\`${label}\``).join(', '),
      meaning,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `${INTRODUCTION}
| name | kind, unit | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

## Names in OpenTelemetry
| here | there |
|---|---|
${METRIC_NAMES.map(inOpenTelemetry).join('\n')}

## Buckets
${METRIC_NAMES.filter((name) => metricRow(name).bounds !== undefined)
  .map((name) => `\`${prometheusName(name)}\`: ${metricRow(name).bounds!.join(', ')} and above.`)
  .join('\n')}
`;
}

const inOpenTelemetry = (name: MetricName) => `| \`${prometheusName(name)}\` | \`${name}\` |`;

const INTRODUCTION = `# Metrics
<!-- Made by \`npm run reference\` from src/monitor/metrics-table.ts. Do not edit. -->

\`lakeward run\` serves these at \`/metrics\` on \`monitor.host\` and \`monitor.port\` (127.0.0.1:9464), in Prometheus' text
format, or as OpenMetrics for those who ask for it. How to use them: [monitor](../how-to/monitor.md).

Counters count what this process did since it started; over several processes they add up. What they count is counted
by commit, never by event, so they move in steps. Gauges of tables say what the lake holds, whoever wrote it, as of at
most 15 seconds ago; while it cannot be read, as it was when it last could, and ages go on. Of a label with more than 100
values the rest stand under \`other\`.
`;
