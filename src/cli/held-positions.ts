import type { Lake } from '../lake/lake.ts';
import { PIN, RAW_NAME, tableState } from '../tables/tables.ts';

interface StreamIdentity {
  arn: string;
  createdAt_ms: number;
}

const REFRESH_MS = 5_000;

/**
 * What the lake has committed of a stream, for the embedded stream's retention. Read again now and then in the
 * background; an old answer only keeps records longer.
 */
export async function heldPositions(
  lake: Lake,
): Promise<(stream: StreamIdentity) => ReadonlyMap<string, string> | undefined> {
  let positions = await read(lake);
  let readAt_ms = performance.now();
  return ({ arn, createdAt_ms }) => {
    if (performance.now() - readAt_ms > REFRESH_MS) {
      readAt_ms = performance.now();
      void read(lake).then(
        (latest) => {
          positions = latest;
        },
        () => {},
      );
    }
    const shards = positions[`${arn}@${createdAt_ms}`];
    return shards && new Map(Object.entries(shards).filter(([shard]) => shard !== PIN));
  };
}

async function read(lake: Lake) {
  const raw = await lake.load(RAW_NAME);
  return raw === undefined ? {} : tableState(raw).positions;
}
