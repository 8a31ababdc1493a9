import type { DuckDBConnection } from '@duckdb/node-api';
import { QUARANTINE } from '../../tables/tables.ts';
import type { LakeFile, RejectedRows } from '../engine.ts';
import type { LocalFiles } from '../local-files.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { withPaths } from './held.ts';
import { parquet } from './sql.ts';
import { partitionHint, writePartitioned } from './write.ts';

const COLUMNS = QUARANTINE.schema.fields.map((f) => f.name).join(', ');

const POSITION = QUARANTINE.schema.fields.filter(({ name }) =>
  ['stream', 'shard_id', 'sequence_number', 'subsequence_number'].includes(name),
);
const SAME_POSITION = POSITION.map(({ name }) => `new.${name} is not distinct from held.${name}`).join(
  ' and ',
);

interface Input {
  rejected: readonly LakeFile[];
  held: readonly LakeFile[];
  files: LocalFiles;
  /** Of this batch alone; gone with it. */
  folder: BatchFolder;
}

export async function readRejected(
  c: DuckDBConnection,
  { rejected, held, files, folder }: Input,
): Promise<RejectedRows> {
  try {
    const [rows, left] = await withPaths(files, { files: rejected }, (paths) =>
      withPaths(files, { files: held, need: { columns: POSITION } }, (heldPaths) =>
        stageFresh(c, { paths, held: heldPaths }),
      ),
    );
    return {
      rows,
      fresh: left,
      async writeFresh(placement) {
        return writePartitioned(c, {
          table: QUARANTINE,
          select: `select ${COLUMNS}, (epoch_us(arrived_at) // 86400000000)::integer as __day from fresh`,
          partitionBy: ['__day'],
          ...(placement && { placement }),
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

/** Rows in all, and those whose position is not held, which are the temporary table `fresh` from now on. */
async function stageFresh(
  c: DuckDBConnection,
  { paths, held }: { paths: readonly string[]; held: readonly string[] },
): Promise<[rows: number, fresh: number]> {
  const fresh =
    held.length === 0 ? '' : `where not exists (from ${parquet(held)} held where ${SAME_POSITION})`;
  await c.run(`create or replace temp table fresh as select ${COLUMNS} from ${parquet(paths)} new ${fresh}`);
  const counted = await c.runAndReadAll(
    `select (select count(*) from ${parquet(paths)}), (select count(*) from fresh)`,
  );
  return counted.getRowsJson()[0]!.map(Number) as [number, number];
}
