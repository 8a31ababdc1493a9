import { resolve } from 'node:path';
import type { Lake } from '../../lake/lake.ts';
import type { SendAction } from '../commands/send.ts';
import { composeLake, composeStream } from '../compose.ts';
import { figure } from '../figures.ts';
import { fileSource, recordsOf, type Source } from '../records.ts';

export const send: SendAction = async (context) => {
  const { args, flags, out, cwd, stdin } = context;
  const stdinSource: Source = { name: 'stdin', bytes: undefined, open: () => stdin };
  const names = args.length === 0 ? ['-'] : args;
  const sources = await Promise.all(
    names.map((name) => (name === '-' ? stdinSource : fileSource(resolve(cwd, name)))),
  );
  let lake: Lake | undefined;
  const opened = await composeStream(context, async () => (lake = await composeLake(context, 'reads')));
  const progress = out.progress({ label: 'sending', unit: 'records' });
  const size = sources.reduce((sum, source) => sum + (source.bytes ?? Number.NaN), 0);
  let read = 0;
  try {
    const records = limited(
      everyRecord(sources, (bytes) => (read = bytes)),
      flags.limit ?? Number.POSITIVE_INFINITY,
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
    if (!opened.embedded?.server) return;
    out.note(`${figure(sent.records)} records are in the stream of ${context.settings.dir}.`);
    out.note('next: lakeward run --once   brings them into the lake');
  } catch (error) {
    progress.end();
    throw error;
  } finally {
    await opened.close();
    await lake?.close();
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

async function* limited(records: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit;
  for await (const record of records) {
    yield record;
    if (--left <= 0) return;
  }
}
