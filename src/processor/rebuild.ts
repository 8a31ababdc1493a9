/** A window over the rows that raw holds now. Best effort: what it does not remember, staging still drops. */
import type { DataFile, Table } from '../lake/lake.ts';
import { ARRIVED_AT_ID, CREATED_DATETIME_ID } from '../tables/tables.ts';
import type { ProcessorOptions } from './processor.ts';
import { Window } from './window.ts';

export async function windowOver(
  raw: Table,
  { lake, engine, watermark_s, maxIds }: Pick<ProcessorOptions, 'lake' | 'engine' | 'watermark_s' | 'maxIds'>,
): Promise<Window> {
  const window = new Window(
    { watermark_s, maxIds },
    { uuid: raw.metadata['table-uuid'], snapshot: raw.metadata['current-snapshot-id']! },
  );
  const { files } = await lake.files(raw);
  const newest_s = files.reduce(
    (newest, file) => Math.max(newest, newestTime_s(file)),
    Number.NEGATIVE_INFINITY,
  );
  const since_s = newest_s - watermark_s;
  let room = maxIds / 2;
  const recent: DataFile[] = [];
  for (const file of files
    .filter((f) => newestTime_s(f) >= since_s)
    .sort((a, b) => newestTime_s(b) - newestTime_s(a))) {
    room -= file.recordCount;
    if (room < 0) break;
    recent.push(file);
  }
  for await (const rows of engine.identitiesOf(recent, since_s)) window.remember(rows);
  return window;
}

/** The newest min(created_at, arrived_at) that a file can hold. */
function newestTime_s(file: DataFile): number {
  const upper = (id: number) => Number(file.upperBounds.get(id) ?? 0n) / 1e6;
  return Math.min(upper(CREATED_DATETIME_ID), upper(ARRIVED_AT_ID));
}
