/**
 * Which snapshots a table may forget. Main's line is kept whole from its newest snapshot down to the last one that
 * anybody needs: a consumer finds what is new by walking it, so a hole in it would make the consumer read everything
 * again. Beside the line stay what branches and tags name, and what was rolled back lately.
 */
import { ancestors, type Snapshot, type TableMetadata } from '../lake/lake.ts';

export interface ExpiryRules {
  now_ms: number;
  keep_ms: number;
  least: number;
  most: number;
  /** Snapshots that consumers have to be able to walk from and to. */
  needed: readonly bigint[];
  /** Snapshots that are kept for themselves. */
  alsoKept: readonly bigint[];
}

/** Whoever planned a query on a snapshot has so long to read its files, however many commits come. */
export const READING_MS = 600_000;

export function expirable(metadata: TableMetadata, rules: ExpiryRules): bigint[] {
  const current = metadata['current-snapshot-id'];
  if (current === null) return [];
  const line = ancestors(metadata, current).snapshots;
  const onLine = new Map(line.map((snapshot, i) => [snapshot['snapshot-id'], i]));
  const kept = new Set<bigint>(rules.alsoKept);
  let length = line.reduce((most, _, i) => (isYoung(line, i, rules) ? i + 1 : most), 0);

  for (const id of rules.needed) {
    for (const { 'snapshot-id': each } of ancestors(metadata, id).snapshots) {
      const place = onLine.get(each);
      if (place === undefined) kept.add(each);
      else {
        length = Math.max(length, place + 1);
        break;
      }
    }
  }
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (name === 'main') continue;
    kept.add(ref['snapshot-id']);
    if (ref.type !== 'branch') continue;
    for (const { 'snapshot-id': each } of ancestors(metadata, ref['snapshot-id']).snapshots)
      if (!onLine.has(each)) kept.add(each);
  }
  for (const { 'snapshot-id': id } of line.slice(0, length)) kept.add(id);
  for (const snapshot of metadata.snapshots) {
    const id = snapshot['snapshot-id'];
    if (!onLine.has(id) && rules.now_ms - snapshot['timestamp-ms'] < rules.keep_ms) kept.add(id);
  }
  return metadata.snapshots.map((snapshot) => snapshot['snapshot-id']).filter((id) => !kept.has(id));
}

/** A query may have been planned on a snapshot until the next one took its place, however old it was by then. */
function isYoung(
  line: readonly Snapshot[],
  place: number,
  { now_ms, keep_ms, least, most }: ExpiryRules,
): boolean {
  const age_ms = (at: number) => now_ms - line[at]!['timestamp-ms'];
  const wasCurrentLately = place === 0 || age_ms(place - 1) < READING_MS;
  return place < least || wasCurrentLately || (place < most && age_ms(place) < keep_ms);
}

/** What main's own ref says goes before the table's properties, which Spark and others know too, and they before settings. */
export function withProperties<Rules extends Pick<ExpiryRules, 'keep_ms' | 'least'>>(
  { properties, refs }: TableMetadata,
  rules: Rules,
): Rules {
  const main = refs['main'];
  const whole = (key: string) =>
    /^\d{1,15}$/.test(properties[key] ?? '') ? Number(properties[key]) : undefined;
  return {
    ...rules,
    keep_ms: main?.['max-snapshot-age-ms'] ?? whole('history.expire.max-snapshot-age-ms') ?? rules.keep_ms,
    least: Math.max(
      1,
      main?.['min-snapshots-to-keep'] ?? whole('history.expire.min-snapshots-to-keep') ?? rules.least,
    ),
  };
}
