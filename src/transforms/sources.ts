/**
 * What a transform reads, as it is now: for each table the files that can hold what was asked for, and how the query
 * sees them. Only files of the event types and names asked for are planned; what a file cannot say, the view filters.
 */
import type { SourceView } from '../engine/engine.ts';
import {
  currentFields,
  type DataFile,
  type Field,
  type FileFilter,
  type Lake,
  type Table,
} from '../lake/lake.ts';
import { STAGING, STAGING_NAME } from '../tables/tables.ts';
import { type DayRange, dayOfMoment, momentsOf } from './days.ts';
import { type Source, type Transform, viewOf } from './define.ts';

export const martName = (name: string): string => `marts.${name}`;

interface View {
  name: string;
  where: readonly FileFilter[];
  anyOf?: SourceView['anyOf'];
}

export interface OpenSource {
  /** Of the table: `staging.events` or a mart. */
  name: string;
  /** Undefined where nothing has been written yet. */
  table: Table | undefined;
  fields: readonly Field[];
  /** The column by whose day the table is partitioned. */
  day: Field | undefined;
  views: readonly View[];
}

/** Files of a source's views. */
export type ViewFiles = ReadonlyMap<View, readonly DataFile[]>;

export async function openSources(lake: Lake, { from }: Transform): Promise<OpenSource[]> {
  const events = from.filter((source) => typeof source === 'string');
  const marts = from.filter((source) => typeof source !== 'string');
  return [
    ...(events.length === 0 ? [] : [eventSource(events, await lake.load(STAGING_NAME))]),
    ...(await Promise.all(marts.map(({ mart }) => openMartSource(lake, mart)))),
  ];
}

export function eventSource(names: readonly string[], table: Table | undefined): OpenSource {
  const selectors = names.map(selectorOf);
  const all: View = { name: 'events', where: [], anyOf: anyOf(selectors) };
  const { fields } = STAGING.schema;
  return {
    name: STAGING_NAME,
    table,
    fields,
    day: fields.find(({ name }) => name === 'created_datetime'),
    views: [...selectors.map(eventView), all],
  };
}

interface Selector {
  source: string;
  column: 'event_name' | 'event_type';
  value: string;
  type: string;
}

function selectorOf(source: string): Selector {
  const whole = source.endsWith(':*');
  const value = whole ? source.slice(0, -2) : source;
  return { source, column: whole ? 'event_type' : 'event_name', value, type: value.split(':', 1)[0]! };
}

function eventView({ source, column, value, type }: Selector): View {
  const byType = eventFilter('event_type', type);
  const where = column === 'event_name' ? [byType, eventFilter(column, value)] : [byType];
  return { name: viewOf(source as Source), where, anyOf: [{ column, values: [value] }] };
}

/** By field id: another program may have renamed the column. */
function eventFilter(column: Selector['column'], value: string): FileFilter {
  const { id } = STAGING.schema.fields.find(({ name }) => name === column)!;
  return { column, id, in: [value] };
}

function anyOf(selectors: readonly Selector[]): NonNullable<View['anyOf']> {
  return [...Map.groupBy(selectors, ({ column }) => column)].map(([column, some]) => ({
    column,
    values: some.map(({ value }) => value),
  }));
}

async function openMartSource(lake: Lake, mart: string): Promise<OpenSource> {
  const table = await lake.load(martName(mart));
  const fields = table === undefined ? [] : currentFields(table.metadata);
  return {
    name: martName(mart),
    table,
    fields,
    day: table && dayField(table),
    views: [{ name: mart, where: [] }],
  };
}

/** The column whose day partitions the table. */
export function dayField(table: Table): Field | undefined {
  const { metadata } = table;
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === metadata['default-spec-id']);
  const source = spec?.fields[0]?.['source-id'];
  return currentFields(table.metadata).find((field) => field.id === source);
}

/** For every view the files that can hold rows of it, of these days, brought after this sequence number. */
export async function planViews(
  lake: Lake,
  { table, day, views }: OpenSource,
  { days, afterSequenceNumber = -1 }: { days?: DayRange; afterSequenceNumber?: number } = {},
): Promise<ViewFiles> {
  const planned = new Map<View, readonly DataFile[]>();
  if (table === undefined) return planned;
  const byDay = days === undefined || day === undefined ? [] : [daysFilter(day, days)];
  const union = new Map<string, DataFile>();
  const own = views.filter((view) => view.where.length > 0 || view.anyOf === undefined);
  for (const view of own) {
    const { files } = await lake.files(table, { where: [...view.where, ...byDay], afterSequenceNumber });
    planned.set(view, files);
    for (const file of files) union.set(file.location, file);
  }
  // `events` is what its names and types are together.
  for (const view of views) if (!own.includes(view)) planned.set(view, [...union.values()]);
  return planned;
}

export function daysFilter({ id, name, type }: Field, days: DayRange): FileFilter {
  if (type === 'date') return { column: name, id, min: days.first, max: days.last };
  return { column: name, id, ...momentsOf(days) };
}

/** Each file once, whatever views it is of. */
export function filesIn(planned: ViewFiles): DataFile[] {
  return [...new Map([...planned.values()].flat().map((file) => [file.location, file])).values()];
}

/** The views as the engine shows them, of these files; rows of other days than these are not shown. */
export function sourceViews(
  source: OpenSource,
  { planned, days }: { planned: ViewFiles; days?: DayRange },
): SourceView[] {
  const { fields, day, views, table } = source;
  return views.map((view) => {
    const files = (planned.get(view) ?? []).filter((file) => {
      const held = days === undefined || table === undefined ? undefined : daysOfFile(table, file, day);
      return held === undefined || days === undefined || (held.first <= days.last && held.last >= days.first);
    });
    return {
      name: view.name,
      fields,
      files,
      ...(view.anyOf && { anyOf: view.anyOf }),
      ...(days && day && { days: { column: day.name, ...days } }),
    };
  });
}

/** Days that the rows of a file can be of, by its partition or by the bounds of the column; undefined where neither says. */
export function daysOfFile(
  { metadata }: Table,
  file: DataFile,
  day: Field | undefined,
): DayRange | undefined {
  if (day === undefined) return undefined;
  const spec = metadata['partition-specs'].find((each) => each['spec-id'] === file.specId);
  const at = spec?.fields.findIndex(
    (field) =>
      field['source-id'] === day.id &&
      (field.transform === 'day' || (field.transform === 'identity' && day.type === 'date')),
  );
  const value = at === undefined || at < 0 ? undefined : file.partition[at];
  if (typeof value === 'number') return { first: value, last: value };
  const first = dayOfBound(file.lowerBounds.get(day.id));
  const last = dayOfBound(file.upperBounds.get(day.id));
  return first === undefined || last === undefined ? undefined : { first, last };
}

function dayOfBound(bound: unknown): number | undefined {
  return typeof bound === 'bigint' ? dayOfMoment(bound) : typeof bound === 'number' ? bound : undefined;
}
