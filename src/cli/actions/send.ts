import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { SendAction } from '../commands/send.ts';
import { composeLake, composeStream } from '../compose.ts';
import { figure } from '../figures.ts';
import { waitingForTyped } from '../output.ts';
import { sameFlags } from '../paste.ts';
import { fileSource, recordsOf, type Source } from '../records.ts';

export const send: SendAction = async (context) => {
  const { args, flags, out, cwd, stdin, signal } = context;
  const stdinSource: Source = { name: 'stdin', bytes: undefined, open: () => stdin };
  const names = args.length === 0 ? ['-'] : args;
  const named = await Promise.all(
    names.map((name) => (name === '-' ? stdinSource : fileSource(resolve(cwd, name)))),
  );
  const sources = named.map((source) => ({ ...source, open: () => addAbortSignal(signal, source.open()) }));
  if (names.includes('-')) waitingForTyped(context, 'records, one a line,');
  await using open = new AsyncDisposableStack();
  const opened = open.use(
    await composeStream(context, async () => open.use(await composeLake(context, 'sends'))),
  );
  const progress = out.progress({ label: 'sending', unit: 'records' });
  const size = sources.reduce((sum, source) => sum + (source.bytes ?? Number.NaN), 0);
  let read = 0;
  try {
    const records = limited(
      everyRecord(sources, (bytes) => (read = bytes)),
      { limit: flags.limit ?? Number.POSITIVE_INFINITY, signal },
    );
    const sent = await opened.stream.send(records, {
      onProgress: ({ records }) =>
        progress.update(
          records,
          Number.isNaN(size) || size === 0 ? '' : `${Math.floor((read / size) * 100)}%`,
        ),
    });
    progress.update(sent.records);
    progress.end();
    await out.result(sent, () => '');
    if (opened.embedded?.server && sent.records > 0) {
      const them = sent.records === 1 ? ['record is', 'it'] : ['records are', 'them'];
      out.note(`${figure(sent.records)} ${them[0]} in the stream of ${context.settings.dir}.`);
      const flags = sameFlags(context, ['stream.name']);
      out.note(`next: lakeward run --once${flags}   brings ${them[1]} into the lake`);
    }
    // What was acknowledged is counted above; the rest of the input was not read.
    signal.throwIfAborted();
  } catch (error) {
    progress.end();
    throw error;
  }
};

async function* everyRecord(
  sources: readonly Source[],
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let before = 0;
  for (const source of sources) {
    yield* recordsOf(source, (bytes) => onBytes(before + bytes));
    before += source.bytes ?? 0;
  }
}

/** Ends at the limit, and when it is stopped, also while it waits for more input: what was put stays put. */
async function* limited(
  records: AsyncIterable<Uint8Array>,
  { limit, signal }: { limit: number; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let left = limit;
  try {
    for await (const record of records) {
      if (signal.aborted) return;
      yield record;
      if (--left <= 0) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
