import { Failure, stringifyJson } from '../../base/base.ts';
import { type Finding, readStatus, type Status } from '../../monitor/monitor.ts';
import type { StatusAction } from '../commands/status.ts';
import { composeLake, type Surroundings } from '../compose.ts';
import { EXIT, exitCodeOf } from '../exit.ts';
import { healthLimits } from '../monitoring.ts';
import { type ProcessHealth, processesOf } from '../processes.ts';
import { firstOf, reportJson, reportOf } from '../report.ts';
import { openStatusStream } from '../status-stream.ts';
import { processesText, processWords, statusLine, statusText } from '../status-text.ts';

type Context = Parameters<StatusAction>[0];

/** From the upper left corner on, and nothing of the last one below. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';

export const status: StatusAction = async (context) => {
  const { out, flags } = context;
  if (flags.watch) return watch(context);
  const told = await reading(context, (read) => read()).catch(async (error: unknown) => {
    const failure = firstOf(error);
    if (failure instanceof Failure) await tellWithout(failure, context);
    throw error;
  });
  await out.result(told, (paint) => statusText(told, { paint }));
};

/** What runs here knows more than the failure says. It ends the command all the same. */
async function tellWithout(failure: Failure, { out, clock, settings }: Context): Promise<void> {
  const told = await withoutLake(failure, { clock, settings });
  if (told.processes.length === 0) return;
  if (out.json) return out.write(failedJson(failure, told));
  // The failure itself is told as that of every command is.
  const theirs = { ...told, findings: told.findings.slice(1) };
  await out.write(`the lake cannot be read; what runs here says\n${processesText(theirs, out.paint)}\n`);
}

async function watch(context: Context): Promise<void> {
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
      await out.write(awaited(error, await withoutLake(error, context), context));
      await clock.sleep(flags.interval, signal);
    }
  }
}

/** Who watches may have begun before the lake was, and goes on when a service is away for a while. */
const passes = (failure: Failure): boolean =>
  failure.code === 'lake.no_lake' || exitCodeOf(failure) === EXIT.tryAgain;

function awaited(failure: Failure, told: Untold, { out, clock }: Context): string {
  if (out.json) return failedJson(failure, told);
  const begun = failure.code !== 'lake.no_lake';
  const text = begun ? `${failure.message}; asking again` : `${failure.message} yet; waiting for it`;
  if (out.terminal) return `${REDRAW}${text}\n${processesText(told, out.paint)}`;
  const processes = told.processes.map((process) => `process ${processWords(process, clock.now())}`);
  return `${[told.at, text, ...processes].join(' · ')}\n`;
}

/** `data` has what is known all the same. */
function failedJson(failure: Failure, told: Untold): string {
  const data = told.processes.length === 0 ? {} : { data: told };
  return `${stringifyJson({ ok: false, error: reportJson(reportOf(failure)), ...data })}\n`;
}

function shown(told: Told, { out }: Context): string {
  if (out.json) return `${stringifyJson({ ok: true, data: told })}\n`;
  return out.terminal ? `${REDRAW}${statusText(told, { paint: out.paint })}` : `${statusLine(told)}\n`;
}

/** What a running process says of itself may be news that no lake can tell. */
export interface Told extends Status {
  processes: readonly ProcessHealth[];
}

/** The same while the lake cannot be read. */
export interface Untold extends Pick<Told, 'at' | 'status' | 'workers' | 'findings' | 'processes'> {
  stream: null;
  lake: null;
}

const ANSWER_MS_MAX = 2_000;

async function withoutLake(
  failure: Failure,
  { clock, settings }: Pick<Context, 'clock' | 'settings'>,
): Promise<Untold> {
  const { code, message, why, fix } = reportOf(failure);
  const away: Finding = { code, severity: 'degraded', what: message, why, fix };
  const at = new Date(clock.now()).toISOString();
  return withProcesses(
    { at, status: 'degraded', stream: null, lake: null, workers: [], findings: [away] },
    settings.dir,
  );
}

async function withProcesses<Known extends Pick<Status, 'status' | 'findings'>>(
  status: Known,
  dir: string,
): Promise<Known & Pick<Told, 'processes'>> {
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
