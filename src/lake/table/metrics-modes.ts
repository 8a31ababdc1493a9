/**
 * What a manifest says of a column, by the table's properties: `none`; `counts`; `truncate(16)`, the default, with bounds
 * that are as long at most; `full`.
 */
import { type TableMetadata, tableSchema } from './metadata.ts';

export interface MetricsMode {
  counts: boolean;
  /** Longest bound of a text in code points, of bytes in bytes; 0 where there are none. */
  bound: number;
}

const DEFAULT: MetricsMode = { counts: true, bound: 16 };
const PREFIX = 'write.metadata.metrics.';

/** By field id. What is said of no column, or not understood, is the default: statistics only spare work. */
export function metricsModes(metadata: TableMetadata): (fieldId: number) => MetricsMode {
  const { properties } = metadata;
  const otherwise = modeOf(properties[`${PREFIX}default`]) ?? DEFAULT;
  const said = new Map<number, MetricsMode>();
  for (const { id, name } of tableSchema(metadata).fields) {
    const mode = modeOf(properties[`${PREFIX}column.${name}`]);
    if (mode !== undefined) said.set(id, mode);
  }
  return (id) => said.get(id) ?? otherwise;
}

function modeOf(text: string | undefined): MetricsMode | undefined {
  const mode = text?.trim().toLowerCase() ?? '';
  if (mode === 'none') return { counts: false, bound: 0 };
  if (mode === 'counts') return { counts: true, bound: 0 };
  if (mode === 'full') return { counts: true, bound: Number.POSITIVE_INFINITY };
  const length = /^truncate\((\d{1,6})\)$/.exec(mode)?.[1];
  return length === undefined || Number(length) === 0 ? undefined : { counts: true, bound: Number(length) };
}
