import type { ReasonCode } from '../event/event.ts';
import type { Query } from '../query/query.ts';

export interface RejectedRecord {
  reason: ReasonCode;
  arrived_at: string;
  shard_id: string;
  sequence_number: string;
  bytes: number;
  /** The record's beginning, as text where it is text. */
  head: string;
}

/** A character of UTF-8 has up to four bytes, and may lie across the end: it is left out then. */
const HEADS = [80, 79, 78, 77].map((end) => `try(decode(bytes[1:${end}]))`).join(', ');

/** Newest first. */
export async function listRejected(
  query: Query,
  { reason, limit }: { reason?: string; limit: number },
): Promise<RejectedRecord[]> {
  const where = reason === undefined ? '' : `where reason = '${reason.replaceAll("'", "''")}'`;
  const { rows } =
    await query.all(`select reason, arrived_at::varchar as arrived_at, shard_id, sequence_number,
      octet_length(bytes) as bytes,
      coalesce(${HEADS}, 'hex ' || hex(bytes[1:30])) as head
    from quarantine.events ${where} order by arrived_at desc, sequence_number desc limit ${limit}`);
  return rows as unknown as RejectedRecord[];
}
