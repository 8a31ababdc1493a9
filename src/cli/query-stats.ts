import type { Planned, PlannedTable } from '../query/query.ts';
import { byteFigure, figure } from './figures.ts';

/** What a question read of each table, and what planning left out. */
export function statsLines({ tables }: Planned): string[] {
  if (tables.length === 0) return ['no table was read'];
  return tables.flatMap((table) => [`${table.view}: ${planned(table)}`, `  ${read(table)}`]);
}

function planned({ files, of, rows, bytes, manifests }: PlannedTable): string {
  return [
    `${figure(files)} of ${figure(of)} files`,
    `${byteFigure(bytes.planned)} of ${byteFigure(bytes.of)}`,
    `${figure(rows)} rows`,
    `${figure(manifests.opened)} of ${figure(manifests.listed)} manifests opened`,
  ].join(', ');
}

function read({ read: stats }: PlannedTable): string {
  if (stats === undefined)
    return 'read in place, on this disk: the engine skips row groups by their statistics';
  const { rowGroups, bytes } = stats;
  return [
    `${figure(rowGroups.needed)} of ${figure(rowGroups.listed)} row groups needed`,
    `${byteFigure(bytes.fetched)} of ${byteFigure(bytes.listed)} fetched`,
    `${byteFigure(bytes.listed - bytes.needed)} skipped`,
  ].join(', ');
}
