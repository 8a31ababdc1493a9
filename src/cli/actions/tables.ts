import { Failure } from '../../base/base.ts';
import { ancestors, currentFields, currentSnapshot, type Lake, type Table } from '../../lake/lake.ts';
import { tableState } from '../../tables/tables.ts';
import { brought } from '../brought.ts';
import type { TablesAction } from '../commands/tables.ts';
import { composeLake } from '../compose.ts';
import { byteFigure } from '../figures.ts';
import type { Paint } from '../paint.ts';
import { textPairs, textTable } from '../table.ts';

const SNAPSHOTS_SHOWN = 20;

export const tables: TablesAction = async (context) => {
  await using lake = await composeLake(context, 'reads');
  const name = context.args[0];
  if (name === undefined) await showAll(lake, context);
  else await showOne(await existing(lake, name), context);
};

async function existing(lake: Lake, name: string): Promise<Table> {
  const names = await lake.list();
  const table = names.includes(name) ? await lake.load(name) : undefined;
  if (table !== undefined) return table;
  throw new Failure(`there is no table ${name}`, {
    code: 'lake.no_table',
    fault: 'user',
    why:
      names.length === 0 ? 'the lake in this folder has no tables yet' : `the lake has ${names.join(', ')}`,
    hint:
      names.length === 0
        ? 'lakeward dev starts one; --dir names another folder'
        : 'lakeward tables lists them',
    docs: 'lakeward tables --help',
  });
}

async function showAll(lake: Lake, { out, settings }: Parameters<TablesAction>[0]): Promise<void> {
  const all = await Promise.all((await lake.list()).sort().map((name) => existing(lake, name)));
  const data = all.map(summary);
  await out.result(data, (paint) =>
    data.length === 0
      ? `No tables yet in ${settings['store.url'] ?? settings.dir}: \`lakeward dev\` makes them.\n`
      : textTable(
          ['table', 'rows', 'files', 'size', 'snapshots', 'last commit'],
          data.map((t) => [t.name, t.rows, t.files, byteFigure(t.bytes), t.snapshots, t.lastCommit]),
          { paint },
        ),
  );
}

function summary({ name, metadata }: Table) {
  const current = currentSnapshot(metadata);
  const total = (key: string) => Number(current?.summary[`total-${key}`] ?? 0);
  return {
    name,
    rows: total('records'),
    files: total('data-files'),
    bytes: total('files-size'),
    snapshots: metadata.snapshots.length,
    lastCommit: current === undefined ? null : new Date(current['timestamp-ms']).toISOString(),
    location: metadata.location,
  };
}

async function showOne(table: Table, { out }: Parameters<TablesAction>[0]): Promise<void> {
  const { metadata } = table;
  const fields = currentFields(metadata);
  const spec = metadata['partition-specs'].find((s) => s['spec-id'] === metadata['default-spec-id'])!;
  const current = currentSnapshot(metadata);
  const line = current === undefined ? [] : ancestors(metadata, current['snapshot-id']).snapshots;
  const columnOf = (id: number) => fields.find((f) => f.id === id)?.name ?? String(id);
  const data = {
    ...summary(table),
    columns: fields.map(({ id, name, type, required, doc }) => ({
      id,
      name,
      type,
      required,
      doc: doc ?? null,
    })),
    partition: spec.fields.map((f) => ({
      name: f.name,
      transform: f.transform,
      column: columnOf(f['source-id']),
    })),
    ledger: tableState(table).ledger,
    history: line.slice(0, SNAPSHOTS_SHOWN).map(brought),
  };
  await out.result(data, (paint) => detail(data, paint));
}

function detail(
  data: ReturnType<typeof summary> & {
    columns: { name: string; type: unknown; required: boolean; doc: string | null }[];
    partition: { name: string; transform: string; column: string }[];
    history: ReturnType<typeof brought>[];
  },
  paint: Paint,
): string {
  const heading = (text: string) => `\n${paint.bold(text)}\n`;
  return [
    textPairs(
      [
        ['table', data.name],
        ['rows', data.rows],
        ['files', data.files],
        ['size', byteFigure(data.bytes)],
        ['location', data.location],
        ['partition', data.partition.map((p) => `${p.transform}(${p.column})`).join(', ')],
      ],
      { paint },
    ),
    heading('columns'),
    textTable(
      ['column', 'type', 'null', ''],
      data.columns.map((c) => [c.name, String(c.type), c.required ? 'no' : 'yes', c.doc]),
      { paint },
    ),
    heading(`snapshots, the latest ${data.history.length} of ${data.snapshots}`),
    textTable(
      ['snapshot', 'at', 'by', 'received', 'written', 'duplicate', 'quarantined', 'removed', 'files'],
      data.history.map((h) => [
        h.snapshot,
        h.at,
        h.writer,
        h.ledger?.received ?? null,
        h.ledger?.written ?? h.addedRows,
        h.ledger?.duplicate ?? null,
        h.ledger?.quarantined ?? null,
        h.removedRows,
        h.addedFiles,
      ]),
      { paint },
    ),
  ].join('');
}
