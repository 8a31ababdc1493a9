import { stringifyJson } from '../../base/base.ts';
import type { Lake } from '../../lake/lake.ts';
import { readStatus, type Status } from '../../monitor/monitor.ts';
import type { StatusAction } from '../commands/status.ts';
import { composeLake, type Surroundings } from '../compose.ts';
import { healthLimits } from '../monitoring.ts';
import { openStatusStream } from '../status-stream.ts';
import { statusLine, statusText } from '../status-text.ts';

/** From the upper left corner on, and nothing of the last one below. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';

export const status: StatusAction = async (context) => {
  const { out, clock, flags, signal } = context;
  await reading(context, async (read) => {
    if (!flags.watch) {
      const told = await read();
      return out.result(told, (paint) => statusText(told, { paint }));
    }
    if (out.terminal && !out.json) await out.write(CLEAR);
    while (!signal.aborted) {
      await out.write(shown(await read(), context));
      await clock.sleep(flags.interval, signal);
    }
  });
};

function shown(told: Status, { out }: Parameters<StatusAction>[0]): string {
  if (out.json) return `${stringifyJson({ ok: true, data: told })}\n`;
  return out.terminal ? `${REDRAW}${statusText(told, { paint: out.paint })}` : `${statusLine(told)}\n`;
}

/** Lends what it takes to read the status, and puts it away again. */
export async function reading<T>(
  around: Surroundings,
  use: (read: () => Promise<Status>) => Promise<T>,
): Promise<T> {
  const lake: Lake = await composeLake(around);
  const stream = openStatusStream(around);
  try {
    const read = readStatus({ lake, stream: stream.source, limits: healthLimits(around.settings) });
    return await use(() => read(around.clock.now()));
  } finally {
    await stream.close();
    await lake.close();
  }
}
