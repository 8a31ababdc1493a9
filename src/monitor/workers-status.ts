/** Who shares the work on a stream, as the heartbeats beside the tables say. */
import { type HeartbeatStore, type WorkerHeard, workersHeard } from '../stream/stream.ts';

export interface WorkerStatus {
  id: string;
  host: string;
  pid: number;
  /** Heard of within its lease, by the clock of the machine that asks. */
  live: boolean;
  /** Since its last heartbeat. */
  silent_ms: number;
  /** Shards of which it reads, or has something that is not committed. */
  shards: readonly string[];
}

export interface WorkersRead {
  /** Id of the stream; null: of every stream. */
  stream: string | null;
  /** Of that stream; shards at their end need no worker. */
  positions: Readonly<Record<string, string>>;
  now_ms: number;
}

/** Live ones first, by their names. */
export async function workersStatus(
  store: HeartbeatStore,
  { stream, positions, now_ms }: WorkersRead,
): Promise<WorkerStatus[]> {
  const heard = await workersHeard(store);
  const isOver = (shard: string) => /^(end|passed)$/.test(positions[shard] ?? '');
  const told = (worker: WorkerHeard): WorkerStatus => {
    const { id, host, pid } = worker;
    const silent_ms = Math.max(0, now_ms - worker.heardAt_ms);
    const shards = worker.shards.filter((shard) => !isOver(shard)).sort();
    return { id, host, pid, live: silent_ms <= worker.lease_ms, silent_ms, shards };
  };
  return heard
    .filter((worker) => stream === null || stream.startsWith(`${worker.stream}@`))
    .map(told)
    .sort((a, b) => Number(b.live) - Number(a.live) || (a.id < b.id ? -1 : 1));
}
