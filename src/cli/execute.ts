/**
 * One run of the CLI, from words to exit code: parse, find the settings, run the command, report. Everything it
 * touches of the process comes in as an argument, so that tests run it whole.
 */
import type { Readable } from 'node:stream';
import { type Clock, createLog, Failure, type Log, limitedLog } from '../base/base.ts';
import { environmentOf, loadConfigFile, type Resolved, resolveSettings } from '../config/config.ts';
import type { Command } from './command.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { helpWidth } from './help.ts';
import { type Console, openConsole, type Sink } from './output.ts';
import { paintFor } from './paint.ts';
import { type Invocation, parseCommandLine } from './parse.ts';
import { firstOf, type Report, reportOf, STOPPED } from './report.ts';

export interface Execution {
  argv: readonly string[];
  commands: readonly Command[];
  version: string;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: Readable;
  stdout: Sink;
  stderr: Sink;
  clock: Clock;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  signal: AbortSignal;
}

export async function execute(execution: Execution): Promise<ExitCode> {
  const { argv, commands, version, env, cwd, stdout, stderr, clock, signal } = execution;
  const closed = new AbortController();
  const console = openConsole({
    json: asksForJson(argv),
    stdout,
    stderr,
    env,
    clock,
    onClosed: () => closed.abort(),
  });
  const running: Running = { execution, console, closed: closed.signal };
  const stopping = () => console.note('stopping; once more to stop at once');
  signal.addEventListener('abort', stopping, { once: true });
  try {
    const paint = paintFor({ env, terminal: stdout.isTTY === true });
    const width = helpWidth(stdout.isTTY === true ? stdout.columns : undefined);
    const parsed = parseCommandLine({ argv, commands, version, cwd, paint, width });
    if (parsed.kind === 'run') return await runCommand(parsed, running);
    await console.write(parsed.text);
    return EXIT.ok;
  } catch (error) {
    return await ended(error, running);
  }
}

interface Running {
  execution: Execution;
  console: Console;
  closed: AbortSignal;
  /** Option log.format, once there are settings that say it. */
  logFormat?: string;
}

async function runCommand(invocation: Invocation, running: Running): Promise<ExitCode> {
  const { execution, console, closed } = running;
  const { env, cwd, stdin, clock, signal } = execution;
  const { command, args, flags } = invocation;
  const resolved = await settingsOf(invocation, execution);
  running.logFormat = resolved.settings['log.format'];
  const log = logFor(resolved, { console, clock, terminal: execution.stderr.isTTY === true });
  for (const warning of resolved.warnings) log.warn('config.unknown_variable', warning);
  const exit = await command.run({
    settings: resolved.settings,
    origins: resolved.origins,
    args,
    flags,
    out: console,
    clock,
    log,
    signal: AbortSignal.any([signal, closed]),
    env,
    cwd,
    stdin,
  });
  if (console.json && !console.answered) await console.result(null, () => '');
  return closed.aborted ? EXIT.ok : (exit ?? EXIT.ok);
}

async function settingsOf(
  { command, options, configFile }: Invocation,
  { env, cwd }: Execution,
): Promise<Resolved> {
  const named = configFile ?? env['LAKEWARD_CONFIG'];
  const file = await loadConfigFile({ cwd, file: named === '' ? undefined : named });
  return resolveSettings({
    command: command.name,
    flags: options,
    env,
    cwd,
    ...(file === undefined ? {} : { file }),
  });
}

function logFor(
  { settings }: Resolved,
  { console, clock, terminal }: { console: Console; clock: Clock; terminal: boolean },
): Log {
  const format = settings['log.format'];
  const log = createLog({
    level: settings['log.level'],
    format: format === 'auto' ? (terminal ? 'pretty' : 'json') : format,
    write: console.logLine,
    now: () => clock.now(),
  });
  return limitedLog(log, clock);
}

async function ended(thrown: unknown, running: Running): Promise<ExitCode> {
  const { execution, console, closed } = running;
  const error = firstOf(thrown);
  if (closed.aborted) return EXIT.ok;
  if (execution.signal.aborted && isAbort(error, execution.signal)) {
    await console.stopped(STOPPED);
    return STOPPED.exit;
  }
  const report = reportOf(error);
  logEnd(report, running);
  await console.failure(report);
  return report.exit;
}

/**
 * Where the log is asked for in JSON, programs read it, such as the alarm on entries of level `error`: what ended the
 * command is an entry too, beside the lines for people. Settings that could not be read ask by the environment alone.
 */
function logEnd({ message, code, why, fix, exit }: Report, { execution, console, logFormat }: Running): void {
  const { env, clock } = execution;
  if ((logFormat ?? env[environmentOf('log.format')]) !== 'json') return;
  const write = console.logLine;
  const log = createLog({ level: 'error', format: 'json', write, now: () => clock.now() });
  log.error('cli.failed', message, { code, why, fix, exit });
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof Failure) return error.code === 'query.interrupted';
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/** Known before parsing, because a command line that cannot be parsed is answered in JSON too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
