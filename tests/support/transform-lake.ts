/** A lake whose staging is filled from plain events, and transforms run over it as the product runs them. */
import { silentLog } from '../../src/base/base.ts';
import type { Table } from '../../src/lake/lake.ts';
import {
  runTransforms,
  type Transform,
  type TransformOutcome,
  type TransformsOptions,
} from '../../src/transforms/transforms.ts';
import { rows } from './audit.ts';
import { loaded } from './edited-table.ts';
import { ScriptedStream } from './scripted-stream.ts';
import { lakeFolder, openWorker, type Worker, type WorkerOptions } from './worker.ts';

export interface TransformLake {
  worker: Worker;
  stream: ScriptedStream;
  folder: string;
  /** Puts the documents, and brings them to staging. */
  fill(documents: readonly (string | Uint8Array)[]): Promise<void>;
  run(transforms: readonly Transform[], changed?: Partial<TransformsOptions>): Promise<TransformOutcome[]>;
  options(transforms: readonly Transform[], changed?: Partial<TransformsOptions>): TransformsOptions;
  table(name: string): Promise<Table>;
  /** Of marts.<name>, in order of all columns. */
  rows(name: string, columns?: string): Promise<unknown[][]>;
}

export async function transformLake(
  changed: Partial<Omit<WorkerOptions, 'stream'>> & { stream?: ScriptedStream } = {},
): Promise<TransformLake> {
  const stream = changed.stream ?? new ScriptedStream();
  const folder = changed.folder ?? (await lakeFolder());
  const worker = await openWorker({ ...changed, folder, stream });
  const options: TransformLake['options'] = (transforms, over = {}) => ({
    lake: worker.lake,
    engine: worker.engine,
    clock: worker.clock,
    log: silentLog,
    writer: 'test',
    newId: () => crypto.randomUUID(),
    random: () => 0,
    transforms,
    maxDays: 31,
    maxRows: 1_000_000,
    signal: new AbortController().signal,
    ...over,
  });
  return {
    worker,
    stream,
    folder,
    async fill(documents) {
      stream.put([...documents]);
      await worker.process();
      await worker.stage();
    },
    options,
    run: (transforms, over) => runTransforms(options(transforms, over)),
    table: (name) => loaded(worker.lake, `marts.${name}`),
    rows: (name, columns = '*') => rows(worker, `marts.${name}`, columns, 'order by all'),
  };
}

/** Fails the test with what a transform says of itself, where one failed. */
export function succeeded(outcomes: readonly TransformOutcome[]): readonly TransformOutcome[] {
  const failed = outcomes.find(({ failure }) => failure !== undefined);
  if (failed !== undefined) throw failed.failure;
  return outcomes;
}
