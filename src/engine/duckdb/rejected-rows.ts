import type { DuckDBConnection } from '@duckdb/node-api';
import { QUARANTINE } from '../../tables/tables.ts';
import type { LakeFile, LocalFile, RejectedRows } from '../engine.ts';
import type { LocalFiles } from '../local-files.ts';
import type { BatchFolder } from './batch-folders.ts';
import { engineFailure } from './duckdb.ts';
import { withFiles } from './held.ts';
import { ownColumns, type Readable } from './own-columns.ts';
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
    const [rows, left] = await withFiles(files, { files: rejected }, (ofRejected) =>
      withFiles(files, { files: held, need: { columns: POSITION } }, (ofHeld) =>
        stageFresh(c, { rejected: ofRejected, held: ofHeld }),
      ),
    );
    return {
      rows,
      fresh: left,
      async writeFresh(placement, target) {
        const write = {
          table: QUARANTINE,
          ...(target && { target }),
          select: `select ${COLUMNS}, (epoch_us(arrived_at) // 86400000000)::integer as __day from fresh`,
          partitionBy: ['__day'],
          ...(placement && { placement }),
          folder: folder.path,
          hint: (values: LocalFile['file']['partition']) => partitionHint(['arrived_at_day'], values),
        };
        return writePartitioned(c, write).catch((error: unknown) => {
          throw engineFailure(error, 'writing what is no event');
        });
      },
      async [Symbol.asyncDispose]() {
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
  { rejected, held }: { rejected: Readable; held: Readable },
): Promise<[rows: number, fresh: number]> {
  const all = ownColumns(rejected, QUARANTINE.schema.fields);
  const fresh =
    held.paths.length === 0
      ? ''
      : `where not exists (from ${ownColumns(held, POSITION)} held where ${SAME_POSITION})`;
  await c.run(`create or replace temp table fresh as select ${COLUMNS} from ${all} new ${fresh}`);
  const counted = await c.runAndReadAll(`select (select count(*) from ${all}), (select count(*) from fresh)`);
  return counted.getRowsJson()[0]!.map(Number) as [number, number];
}
