/**
 * Records on which the engine failed when they were taken: quarantine says which. To judge them once more would fail
 * again, or, with an engine that was mended since, call events what raw could not hold.
 */
import { type Engine, type RecordPlace, sqlType } from '../engine/engine.ts';
import { CRASHED_ENGINE } from '../event/event.ts';
import type { DataFile, Lake, Table } from '../lake/lake.ts';
import { QUARANTINE, RAW_NAME, readUpTo, tableState } from '../tables/tables.ts';

const VIEW = { schema: '__verify', name: 'rejected' };

/** By stream, in no order. */
export async function crashedRecords(
  { lake, engine }: { lake: Lake; engine: Engine },
  { raw, quarantine, files }: { raw: Table; quarantine: Table | undefined; files: readonly DataFile[] },
): Promise<ReadonlyMap<string, RecordPlace[]>> {
  const found = new Map<string, RecordPlace[]>();
  const rejected = [...files, ...(await onTheirWay(lake, { raw, quarantine }))];
  if (rejected.length === 0) return found;
  const columns = QUARANTINE.schema.fields.map(({ id, name, type }) => ({ id, name, type: sqlType(type) }));
  try {
    await engine.defineViews([{ ...VIEW, columns, files: rejected }]);
    const { chunks } = await engine.query(
      `select stream, shard_id, sequence_number, subsequence_number from ${VIEW.schema}.${VIEW.name}
       where reason = '${CRASHED_ENGINE.code}'`,
    );
    for await (const chunk of chunks()) {
      for (const [stream, shard, sequenceNumber, sub] of chunk) {
        const place = { shard: String(shard), sequenceNumber: String(sequenceNumber) };
        const of = found.get(String(stream)) ?? [];
        found.set(String(stream), of);
        of.push({ ...place, subsequenceNumber: sub === null ? null : Number(sub) });
      }
    }
  } finally {
    await engine.dropViews([VIEW]);
  }
  return found;
}

/** What raw rejected and quarantine has not adopted yet. */
async function onTheirWay(
  lake: Lake,
  { raw, quarantine }: { raw: Table; quarantine: Table | undefined },
): Promise<DataFile[]> {
  if (quarantine === undefined) return [];
  const adopted = readUpTo(raw, tableState(quarantine).consumed[RAW_NAME]);
  const waiting = tableState(raw).rejected.filter(({ sequenceNumber }) => sequenceNumber > adopted);
  const read = waiting.flatMap(({ locations }) => locations.map((at) => lake.readManifest(quarantine, at)));
  return (await Promise.all(read)).flatMap((manifest) => manifest.files);
}
