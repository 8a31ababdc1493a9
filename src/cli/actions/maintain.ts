import { maintain as maintainTables, type TableReport, type Work } from '../../maintenance/maintenance.ts';
import type { MaintainAction } from '../commands/maintain.ts';
import { composeLake } from '../compose.ts';
import { EXIT } from '../exit.ts';
import { byteFigure, figure } from '../figures.ts';
import type { Paint } from '../paint.ts';
import { maintenanceOptions } from '../roles.ts';
import { textTable } from '../table.ts';

export const maintain: MaintainAction = async (context) => {
  const { args, flags, out, signal } = context;
  await using lake = await composeLake(context, flags.dryRun ? 'reads' : 'keeps');
  const progress = out.progress({ label: 'maintaining', unit: 'files' });
  let before = { table: '', files: 0 };
  let files = 0;
  const reports = await maintainTables(
    {
      ...maintenanceOptions({ ...context, lake }, signal),
      onProgress: (now) => {
        files += now.files - (now.table === before.table ? before.files : 0);
        before = now;
        progress.update(files, `${now.table}: ${figure(now.files)} of ${figure(now.of)}`);
      },
    },
    { ...(args.length > 0 && { tables: args }), dryRun: flags.dryRun },
  );
  if (files > 0) progress.end();
  await out.result({ dryRun: flags.dryRun, tables: reports }, (paint) => maintainText(reports, paint));
  const failed = reports.some(({ work }) => work.some(({ result }) => result === 'failed'));
  if (failed) return EXIT.failed;
  signal.throwIfAborted();
  return EXIT.ok;
};

export function maintainText(reports: readonly TableReport[], paint: Paint): string {
  if (reports.length === 0) return 'No tables yet: `lakeward dev` makes them.\n';
  const rows = reports.flatMap(({ table, work }) =>
    work.length === 0
      ? [[table, 'nothing to do', '', '', '', '']]
      : work.map((each) => [table, each.action, amount(each), sizeOf(each), each.result, reason(each)]),
  );
  const left = reports.flatMap(({ table, left }) => left.map((each) => `${table}: ${each}\n`));
  return [
    textTable(['table', 'action', 'what', 'size', 'result', 'why'], rows, { paint, cellWidth: 160 }),
    ...(left.length > 0 ? ['\n', ...left] : []),
  ].join('');
}

const UNITS: Readonly<Record<Work['action'], string>> = {
  'drop days': 'files',
  compact: 'files',
  'merge manifests': 'manifests',
  'expire snapshots': 'snapshots',
  'remove orphans': 'files',
};

function amount({ action, count, into }: Work): string {
  const kept = action === 'expire snapshots' ? 'of' : 'into';
  if (into === undefined) return `${figure(count)} ${UNITS[action]}`;
  return `${figure(count)} ${kept} ${figure(kept === 'of' ? count + into : into)} ${UNITS[action]}`;
}

const sizeOf = ({ bytes }: Work) => (bytes === undefined ? '' : byteFigure(bytes));
const reason = ({ why, detail }: Work) => (detail === undefined ? why : `${detail} (${why})`);
