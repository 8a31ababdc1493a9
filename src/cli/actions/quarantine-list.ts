import { CRASHED_ENGINE, REASONS } from '../../event/event.ts';
import { listRejected } from '../../quarantine/quarantine.ts';
import { openQuery } from '../../query/query.ts';
import type { QuarantineListAction } from '../commands/quarantine-list.ts';
import { composeEngine, composeLake } from '../compose.ts';
import { textTable } from '../table.ts';

export const quarantineList: QuarantineListAction = async (context) => {
  await using lake = await composeLake(context, 'reads');
  await using engine = await composeEngine(context, lake, 'questions');
  const query = openQuery({ lake, engine });
  const counted = await query.all(
    'select reason, count(*) as records from quarantine.events group by 1 order by 2 desc, 1',
  );
  const reasons = counted.rows.map(({ reason, records }) => ({
    reason: String(reason),
    records: Number(records),
    meaning: [...REASONS, CRASHED_ENGINE].find((r) => r.code === reason)?.meaning ?? '',
  }));
  const { reason, limit } = context.flags;
  const records = await listRejected(query, { limit, ...(reason === undefined ? {} : { reason }) });
  await context.out.result({ reasons, records }, (paint) =>
    reasons.length === 0
      ? 'Nothing is in quarantine.\n'
      : `${textTable(
          ['reason', 'records', 'meaning'],
          reasons.map((r) => [r.reason, r.records, r.meaning]),
          { paint },
        )}\n${textTable(
          ['reason', 'arrived', 'shard', 'sequence number', 'bytes', 'begins with'],
          records.map((r) => [r.reason, r.arrived_at, r.shard_id, r.sequence_number, r.bytes, beginning(r)]),
          { paint, cellWidth: 81 },
        )}`,
  );
};

/** With a mark where the record goes on: one that ends there would look the same. */
export function beginning({ head, bytes }: { head: string; bytes: number }): string {
  const shown = /^hex [0-9A-F]*$/.test(head) ? (head.length - 'hex '.length) / 2 : Buffer.byteLength(head);
  return shown < bytes ? `${head}…` : head;
}
