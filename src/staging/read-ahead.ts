/**
 * The next portion, read while the one before it is stored and committed: then the engine has nothing else to do. It is
 * raw as it was a moment ago, which is as good as having been a moment earlier; a portion that does not begin where
 * staging then is, is not used.
 */
import type { Engine, RawBatch } from '../engine/engine.ts';
import type { Lake, Table } from '../lake/lake.ts';
import { type Consumed, nextPortion, type Portion } from '../tables/tables.ts';

export interface ReadPortion {
  portion: Portion;
  batch: RawBatch;
}

interface Reading {
  lake: Lake;
  engine: Engine;
  maxRows: number;
}

/** Undefined when raw holds nothing new. The batch is the caller's to let go of. */
export async function readPortion(
  { lake, engine, maxRows }: Reading,
  { raw, consumed }: { raw: Table; consumed: Consumed | undefined },
): Promise<ReadPortion | undefined> {
  const portion = await nextPortion(lake, { table: raw, consumed, maxRows });
  if (portion === undefined) return undefined;
  const batch = await engine.readRaw(
    portion.files.map((file) => ({
      location: file.location,
      fileSize: file.fileSize,
      sequenceNumber: file.sequenceNumber!,
      rows: file.recordCount,
      ...(file.nameMapped && { nameMapped: true }),
      // Values of another spec than the tables are created with are no day and type.
      ...(file.specId === 0 && { partition: file.partition }),
    })),
  );
  return { portion, batch };
}

export class ReadAhead {
  readonly #reading: Reading;
  #next: { from: Consumed; read: Promise<ReadPortion | undefined> } | undefined;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Begins to read what follows `from`. */
  begin(raw: Table, from: Consumed): void {
    const read = readPortion(this.#reading, { raw, consumed: from });
    // Whoever takes it hears of a failure.
    read.catch(() => {});
    this.#next = { from, read };
  }

  /** What was read from there on, if it was; anything else is let go. */
  async take(from: Consumed | undefined): Promise<ReadPortion | undefined> {
    const next = this.#next;
    this.#next = undefined;
    if (next === undefined) return undefined;
    const isThere = from !== undefined && isSame(next.from, from);
    // One that failed is read again, and fails where it belongs.
    const read = await next.read.catch(() => undefined);
    if (isThere) return read;
    await read?.batch[Symbol.asyncDispose]();
    return undefined;
  }

  async letGo(): Promise<void> {
    await this.take(undefined);
  }
}

const isSame = (a: Consumed, b: Consumed) =>
  a.uuid === b.uuid && a.snapshot === b.snapshot && a.sequenceNumber === b.sequenceNumber;
