import type { DuckDBConnection } from '@duckdb/node-api';
import { QUARANTINE } from '../../tables/tables.ts';
import type { RejectedRows } from '../engine.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { parquet } from './sql.ts';
import { partitionHint, writePartitioned } from './write.ts';

const COLUMNS = QUARANTINE.schema.fields.map((f) => f.name).join(', ');

const POSITION = ['stream', 'shard_id', 'sequence_number', 'subsequence_number'];
const SAME_POSITION = POSITION.map((name) => `new.${name} is not distinct from held.${name}`).join(' and ');

interface Input {
  paths: readonly string[];
  held: readonly string[];
  /** Of this batch alone; gone with it. */
  folder: BatchFolder;
}

export async function readRejected(
  c: DuckDBConnection,
  { paths, held, folder }: Input,
): Promise<RejectedRows> {
  try {
    const fresh =
      held.length === 0 ? '' : `where not exists (from ${parquet(held)} held where ${SAME_POSITION})`;
    await c.run(
      `create or replace temp table fresh as select ${COLUMNS} from ${parquet(paths)} new ${fresh}`,
    );
    const counted = await c.runAndReadAll(
      `select (select count(*) from ${parquet(paths)}), (select count(*) from fresh)`,
    );
    const [rows, left] = counted.getRowsJson()[0]!.map(Number) as [number, number];
    return {
      rows,
      fresh: left,
      async writeFresh() {
        return writePartitioned(c, {
          table: QUARANTINE,
          select: `select ${COLUMNS}, (epoch_us(arrived_at) // 86400000000)::integer as __day from fresh`,
          partitionBy: ['__day'],
          folder: folder.path,
          hint: (values) => partitionHint(['arrived_at_day'], values),
        });
      },
      async dispose() {
        c.closeSync();
        await folder.release();
      },
    };
  } catch (error) {
    c.closeSync();
    await folder.release();
    throw engineFailure(error, 'reading what is no event');
  }
}
