/**
 * A processor as one would write it first, on the same tables, engine and stream: the control of the scenarios. It
 * reads, drops repeats, writes, commits and retries, and lacks the precautions whose absence only shows in bad
 * schedules. `NaiveHabits` has those of its habits that not every scenario is about.
 */
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../src/base/base.ts';
import type { JudgedBatch, LocalFile } from '../../../src/engine/engine.ts';
import type { DataFile, Manifest, Table } from '../../../src/lake/lake.ts';
import type { ProcessorOptions } from '../../../src/processor/processor.ts';
import type { Position, Spool, StreamDescription } from '../../../src/stream/stream.ts';
import { advance, firstCommit, RAW, RAW_NAME, tableState } from '../../../src/tables/tables.ts';
import { NaiveWindow } from './window.ts';

export interface NaiveHabits {
  /** Under which key positions are kept. */
  streamKey?: (stream: StreamDescription) => string;
  /** Where it begins when it has no positions yet. */
  begins?: () => ReadonlyMap<string, Position>;
  /** Positions are saved as soon as a batch was read, in a commit of their own. */
  savesPositions?: 'when read';
  /** Finished files get their names without an fsync. */
  namesFiles?: 'at once';
}

const TRIES = 5;

export async function runNaive(options: ProcessorOptions, habits: NaiveHabits = {}): Promise<void> {
  const window = new NaiveWindow(options.watermark_s);
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return await new NaiveSession(options, habits, window).run();
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
    }
  }
}

interface Prepared {
  spool: Spool;
  files: DataFile[];
  manifests: Manifest[];
  fresh: string[];
}

class NaiveSession {
  readonly #options: ProcessorOptions;
  readonly #habits: NaiveHabits;
  readonly #window: NaiveWindow;
  #raw!: Table;
  #key!: string;

  constructor(options: ProcessorOptions, habits: NaiveHabits, window: NaiveWindow) {
    this.#options = options;
    this.#habits = habits;
    this.#window = window;
  }

  async run(): Promise<void> {
    const { lake, newId, writer, stream, signal } = this.#options;
    this.#raw = await lake.create(RAW_NAME, RAW, { commitId: newId(), stage: firstCommit(writer) });
    const description = await stream.describe();
    this.#key = (this.#habits.streamKey ?? (({ id }) => id))(description);
    const saved = Object.entries(tableState(this.#raw).positions[this.#key] ?? {}) as [string, Position][];
    const positions = saved.length > 0 ? new Map(saved) : (this.#habits.begins?.() ?? new Map());
    const taking = await stream.take({
      ...this.#options,
      stream: description,
      positions,
      pin: 'TRIM_HORIZON',
    });

    let failure: unknown;
    const failed = (error: unknown) => {
      failure ??= error;
    };
    let committing = Promise.resolve();
    for (let spool = await taking.next(); spool && failure === undefined; spool = await taking.next()) {
      if (this.#habits.savesPositions === 'when read') {
        await this.#commit(spool, []);
        if (signal.aborted) return;
      }
      const prepared = await this.#prepare(spool);
      await committing;
      committing = this.#commitBatch(prepared).catch(failed);
    }
    await committing;
    if (failure !== undefined) throw failure;
  }

  async #prepare(spool: Spool): Promise<Prepared> {
    const { engine, lake, limits } = this.#options;
    await using batch = await engine.judge(
      { path: spool.path, shards: spool.shards, stream: this.#key },
      limits,
    );
    const { drop, fresh } = this.#window.judge(await batch.identities());
    const files = batch.events === drop.length ? [] : await this.#store(batch, drop);
    const manifests = files.length === 0 ? [] : await lake.prepare(this.#raw, files);
    return { spool, files, manifests, fresh };
  }

  async #store(batch: JudgedBatch, drop: Int32Array): Promise<DataFile[]> {
    const { store, newFileLocation } = this.#options.lake;
    const moves = ((await batch.writeEvents(drop)) as LocalFile[]).map(({ localPath, hint, file }) => ({
      localPath,
      file: { ...file, location: newFileLocation(this.#raw, hint) },
    }));
    if (this.#habits.namesFiles === 'at once') {
      for (const { localPath, file } of moves) {
        const path = store.localPath(file.location)!;
        await mkdir(dirname(path), { recursive: true });
        await rename(localPath, path);
      }
    } else {
      await store.moveIn(moves.map(({ localPath, file }) => ({ localPath, location: file.location })));
    }
    return moves.map(({ file }) => file);
  }

  /** Each batch stands for itself: the next one is tried whatever became of this one. */
  async #commitBatch({ spool, files, manifests, fresh }: Prepared): Promise<void> {
    try {
      await this.#commit(spool, manifests);
    } catch (error) {
      // Refused: another worker has taken these, so they are in the table. Else they are not, and come again.
      const taken = error instanceof Failure && error.code === 'naive.refused';
      if (!taken) this.#window.forget(fresh);
      await this.#options.lake.store.delete(files.map(({ location }) => location));
      throw error;
    } finally {
      await spool[Symbol.asyncDispose]();
    }
  }

  async #commit(spool: Spool, manifests: readonly Manifest[]): Promise<void> {
    const { lake, newId, writer } = this.#options;
    const moved = manifests.length > 0 && this.#habits.savesPositions === 'when read';
    const ranges = moved ? [] : [...spool.ranges];
    const known = (from: string) => (/^\d/.test(from) ? from : '');
    const shards = Object.fromEntries(
      ranges.map(([shard, { from, to }]) => [shard, [known(from), to] as const]),
    );
    const at = (base: Table) => tableState(base).positions[this.#key] ?? {};
    const outcome = await lake.commit(this.#raw, {
      commitId: newId(),
      operation: 'append',
      manifests,
      stage: (base, attempt) => {
        // A reader that began at the end of the stream has no place in the table yet.
        const first = this.#habits.begins !== undefined && Object.keys(at(base)).length === 0;
        const from = (shard: string, start: string) => (first ? (at(base)[shard] ?? '') : start);
        const took = Object.entries(shards).map(([s, [start, to]]) => [s, [from(s, start), to]] as const);
        return advance(base, attempt, { writer, took: { [this.#key]: Object.fromEntries(took) } });
      },
    });
    this.#raw = outcome.table;
    if (outcome.kind === 'committed') return;
    throw new Failure('somebody else took these', {
      code: 'naive.refused',
      fault: 'service',
      retry: 'refresh',
    });
  }
}
