/** The entry: hands the process to `execute`. Imports nothing heavy, so that --help and --version answer at once. */
import { keepPoolAwake, systemClock } from '../base/base.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import { stopOnSignals } from './signals.ts';
import { version } from './version.ts';

const { argv, env, stdin, stdout, stderr } = process;

// A closed pipe (`lakeward sql … | head`) is told to the writer through its callback; without a listener the same
// error would also be thrown from the event loop.
stdout.on('error', () => {});
stderr.on('error', () => {});

keepPoolAwake();

const exitCode = await execute({
  argv: argv.slice(2),
  commands: allCommands(async () => (await import('./actions.ts')).actions),
  version: version(),
  env,
  cwd: process.cwd(),
  stdin,
  stdout,
  stderr,
  clock: systemClock,
  signal: stopOnSignals({
    on: (signal, listener) => process.on(signal, listener),
    exit: (code) => process.exit(code),
  }),
});

// Not process.exitCode: a handle that somebody left open must not keep a finished command alive.
process.exit(exitCode);
