import { Failure, stringifyJson } from '../../base/base.ts';
import { type Finding, readStatus, type Status } from '../../monitor/monitor.ts';
import type { StatusAction } from '../commands/status.ts';
import { composeLake, type Surroundings } from '../compose.ts';
import { EXIT, exitCodeOf } from '../exit.ts';
import { healthLimits } from '../monitoring.ts';
import { type ProcessHealth, processesOf } from '../processes.ts';
import { reportJson, reportOf } from '../report.ts';
import { openStatusStream } from '../status-stream.ts';
import { statusLine, statusText } from '../status-text.ts';

/** From the upper left corner on, and nothing of the last one below. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';

export const status: StatusAction = async (context) => {
  const { out, flags } = context;
  if (flags.watch) return watch(context);
  const told = await reading(context, (read) => read());
  await out.result(told, (paint) => statusText(told, { paint }));
};

async function watch(context: Parameters<StatusAction>[0]): Promise<void> {
  const { out, clock, flags, signal } = context;
  if (out.terminal && !out.json) await out.write(CLEAR);
  while (!signal.aborted) {
    try {
      await reading(context, async (read) => {
        while (!signal.aborted) {
          await out.write(shown(await read(), context));
          await clock.sleep(flags.interval, signal);
        }
      });
    } catch (error) {
      if (!(error instanceof Failure) || !passes(error)) throw error;
      await out.write(awaited(error, context));
      await clock.sleep(flags.interval, signal);
    }
  }
}

/** Who watches may have begun before the lake was, and goes on when a service is away for a while. */
const passes = (failure: Failure): boolean =>
  failure.code === 'lake.no_lake' || exitCodeOf(failure) === EXIT.tryAgain;

function awaited(failure: Failure, { out, clock }: Parameters<StatusAction>[0]): string {
  if (out.json) return `${stringifyJson({ ok: false, error: reportJson(reportOf(failure)) })}\n`;
  const begun = failure.code !== 'lake.no_lake';
  const text = begun ? `${failure.message}; asking again` : `${failure.message} yet; waiting for it`;
  return out.terminal ? `${REDRAW}${text}\n` : `${new Date(clock.now()).toISOString()} · ${text}\n`;
}

function shown(told: Told, { out }: Parameters<StatusAction>[0]): string {
  if (out.json) return `${stringifyJson({ ok: true, data: told })}\n`;
  return out.terminal ? `${REDRAW}${statusText(told, { paint: out.paint })}` : `${statusLine(told)}\n`;
}

/** What a running process says of itself may be news that no lake can tell. */
export interface Told extends Status {
  processes: readonly ProcessHealth[];
}

const ANSWER_MS_MAX = 2_000;

async function withProcesses(status: Status, dir: string): Promise<Told> {
  const processes = await processesOf(dir, { timeout_ms: ANSWER_MS_MAX });
  const known = new Set(status.findings.map(({ code }) => code));
  const more = processes.flatMap(({ pid, reasons }): Finding[] =>
    reasons
      .filter(({ code }) => !known.has(code))
      .map(({ code, what, why, fix }) => ({
        ...{ code, severity: 'degraded', why, fix },
        what: what.startsWith('process ') ? what : `process ${pid}: ${what}`,
      })),
  );
  return {
    ...status,
    status: more.length > 0 ? 'degraded' : status.status,
    findings: [...status.findings, ...more],
    processes,
  };
}

/** Lends what it takes to read the status, and puts it away again. */
export async function reading<T>(
  around: Surroundings,
  use: (read: () => Promise<Told>) => Promise<T>,
): Promise<T> {
  await using lake = await composeLake(around, 'reads');
  await using stream = openStatusStream(around);
  const read = readStatus({ lake, stream: stream.source, limits: healthLimits(around.settings) });
  return await use(async () => withProcesses(await read(around.clock.now()), around.settings.dir));
}
