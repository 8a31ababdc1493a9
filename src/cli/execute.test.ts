import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Failure, systemClock } from '../base/base.ts';
import { count, flag, text } from '../config/config.ts';
import { type CommandContext, defineCommand, type Ending, ownFlag, ownFlagUnset } from './command.ts';
import { sqlCommand } from './commands/sql.ts';
import { type Execution, execute } from './execute.ts';
import type { Sink } from './output.ts';

const flags = {
  limit: ownFlag(count({ min: 1 }), 20, { description: 'Most rows.' }),
  like: ownFlagUnset(text(), { description: 'A pattern.' }),
  deep: ownFlag(flag(), false, { description: 'Everything.' }),
} as const;
type Context = CommandContext<typeof flags>;

class Recorder implements Sink {
  text = '';
  failWith: Error | undefined;
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): void {
    if (!this.failWith) this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    done(this.failWith);
  }
}

interface Run extends Partial<Pick<Execution, 'env' | 'signal' | 'commands' | 'clock' | 'argv'>> {
  action?: (context: Context) => Promise<Ending>;
  stdout?: Recorder;
  stderr?: Recorder;
}

async function run(
  line: string,
  { action = async () => {}, stdout = new Recorder(), stderr = new Recorder(), ...rest }: Run = {},
) {
  const command = (name: 'tables' | 'quarantine list') =>
    defineCommand(
      {
        name,
        summary: `About ${name}.`,
        about: ['It does.'],
        arguments: [{ name: 'NAME', description: 'Which.', repeated: true, choices: ['raw', 'staging'] }],
        flags,
        json: true,
        examples: [],
        readOn: [],
      },
      action,
    );
  const exit = await execute({
    argv: line === '' ? [] : line.split(' '),
    commands: [command('tables'), command('quarantine list')],
    version: '1.2.3',
    env: {},
    cwd: '/nowhere',
    stdin: Readable.from([]),
    stdout,
    stderr,
    clock: systemClock,
    signal: new AbortController().signal,
    ...rest,
  });
  return { exit, stdout: stdout.text, stderr: stderr.text };
}

/** What the action was given. */
async function contextOf(line: string, options: Run = {}): Promise<Context> {
  let seen: Context | undefined;
  const { stderr } = await run(line, {
    ...options,
    action: async (context) => {
      seen = context;
    },
  });
  if (!seen) throw new Error(stderr);
  return seen;
}

describe('a command', () => {
  test('gets its arguments, its own flags as values, and the settings', async () => {
    const { args, flags, settings, origins } = await contextOf(
      'tables raw staging --limit 2k --deep --dir /data --log-level error',
    );
    expect(args).toEqual(['raw', 'staging']);
    expect(flags).toEqual({ limit: 2000, like: undefined, deep: true });
    expect(settings.dir).toBe('/data');
    expect(origins['log.level']).toEqual({ from: 'flag', where: '--log-level' });
  });

  test('gets the defaults of its own flags when they are not given', async () => {
    expect((await contextOf('tables')).flags).toEqual({ limit: 20, like: undefined, deep: false });
  });

  test('of two words is found', async () => {
    expect((await contextOf('quarantine list --limit 3')).flags.limit).toBe(3);
  });

  test('reads the environment, which no default of the parser covers up', async () => {
    const { settings } = await contextOf('tables', {
      env: { LAKEWARD_DIR: '/from-env', LAKEWARD_LOG_LEVEL: 'error' },
    });
    expect([settings.dir, settings['log.level']]).toEqual(['/from-env', 'error']);
  });

  test('ends with the exit code it returns, or 0', async () => {
    expect((await run('tables', { action: async () => 3 })).exit).toBe(3);
    expect((await run('tables')).exit).toBe(0);
  });
});

describe('a mistake on the command line', () => {
  test.each([
    ['tabels', 'did you mean lakeward tables?'],
    ['tables --limt 3', 'did you mean --limit?'],
    ['tables --sotre x', 'did you mean --store?'],
    ['tables stagin', 'did you mean staging? (raw, staging)'],
    ['tables --limit many', 'A count is a whole number; 100_000, 100k and 10M are understood.'],
    ['tables --log-levle debug', 'did you mean --log-level?'],
    ['tables --limit 0', 'A count is a whole number; 100_000, 100k and 10M are understood.'],
    ['tables --limit', 'see lakeward tables --help'],
    ['quarantine', 'one of: lakeward quarantine list'],
    ['quarantine lits', 'did you mean lakeward quarantine list?'],
    ['--bogus', 'see lakeward --help'],
    ['help tabels', 'did you mean lakeward tables?'],
  ])('“%s” exits with 2, says what to do, and writes nothing to stdout', async (line, fix) => {
    const { exit, stdout, stderr } = await run(line);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain('[cli.usage]');
    expect(stderr).toContain(`  fix   ${fix}\n`);
  });

  test.each([
    [['sql', 'select', '1'], 'what has blanks in it needs quotes: lakeward sql "…"'],
    [['sql', '-- how many\nselect 1'], 'before an argument that begins with - goes --: lakeward sql -- "…"'],
  ])('%j tells how a shell is told', async (argv, fix) => {
    const { exit, stderr } = await run('…', { argv, commands: [sqlCommand(async () => {})] });
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining(`  fix   ${fix}\n`) });
  });

  test('in a setting exits with 2 as well', async () => {
    const { exit, stderr } = await run('tables', { env: { LAKEWARD_LOG_LEVEL: 'loud' } });
    expect(exit).toBe(2);
    expect(stderr).toContain('log.level from LAKEWARD_LOG_LEVEL');
  });
});

describe('a log in JSON', () => {
  const failure = new Failure('no lake here', {
    code: 'lake.none',
    fault: 'user',
    why: 'empty',
    hint: 'run it',
  });
  const entries = (stderr: string) =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const asJson = { env: { LAKEWARD_LOG_FORMAT: 'json', LAKEWARD_LOG_LEVEL: 'error' } };

  test('has an entry of level error about what ended the command, beside the lines for people', async () => {
    const { stderr } = await run('tables', { ...asJson, action: () => Promise.reject(failure) });
    expect(entries(stderr)).toEqual([
      {
        ...{ time: expect.any(String), level: 'error', id: 'cli.failed', text: 'no lake here' },
        ...{ code: 'lake.none', why: 'empty', fix: 'run it', exit: 1 },
      },
    ]);
    expect(stderr).toContain('lakeward: no lake here [lake.none]\n  why   empty\n  fix   run it\n');
  });

  test('has one of settings that cannot be read, too', async () => {
    const { stderr } = await run('tables', { env: { ...asJson.env, LAKEWARD_LOG_LEVEL: 'loud' } });
    expect(entries(stderr)).toMatchObject([{ level: 'error', id: 'cli.failed', exit: 2 }]);
  });

  test('that nobody asked for has none: the lines for people are enough', async () => {
    const { stderr } = await run('tables', { action: () => Promise.reject(failure) });
    expect(entries(stderr)).toEqual([]);
  });
});

describe('help and version', () => {
  test.each(['tables --help', 'tables -h', 'help tables', 'tables --limit 3 --help'])(
    '“%s” is data on stdout',
    async (line) => {
      const { exit, stdout, stderr } = await run(line);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
      expect(stdout).toContain('lakeward tables [NAME…] [options]');
    },
  );

  test.each(['', '--help', 'help'])('“%s” lists the commands', async (line) => {
    const { exit, stdout } = await run(line);
    expect(exit).toBe(0);
    expect(stdout).toContain('About tables.');
  });

  test('the version is a line', async () => {
    expect(await run('--version')).toEqual({ exit: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('with --json', () => {
  test('stdout is one object, 64-bit integers unrounded', async () => {
    const { stdout } = await run('tables --json', {
      action: async ({ out }) => {
        out.note('for people');
        await out.result({ snapshot: 9223372036854775807n }, () => 'never shown');
      },
    });
    expect(stdout).toBe('{"ok":true,"data":{"snapshot":9223372036854775807}}\n');
  });

  test('a failure is one object too, and stderr still tells people', async () => {
    const failure = new Failure('no lake here', {
      code: 'lake.none',
      fault: 'user',
      why: 'empty',
      hint: 'run it',
      docs: 'd.md',
    });
    const { exit, stdout, stderr } = await run('tables --json', { action: () => Promise.reject(failure) });
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'lake.none', message: 'no lake here', why: 'empty', fix: 'run it', read: 'd.md' },
    });
    expect(stderr).toContain('lakeward: no lake here [lake.none]');
  });

  test('a command line that is not understood is answered in JSON', async () => {
    const { exit, stdout } = await run('tables --json --bogus');
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'cli.usage' } });
  });

  test('where there is --format instead, the mistake names it', async () => {
    const { exit, stdout } = await run('sql --json', { commands: [sqlCommand(async () => {})] });
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { fix: 'did you mean --format json?' } });
  });

  test('an action without a result is answered as well', async () => {
    expect((await run('tables --json')).stdout).toBe('{"ok":true,"data":null}\n');
  });

  test('a failure after the result adds no second object', async () => {
    const { stdout } = await run('tables --json', {
      action: async ({ out }) => {
        await out.result(1, () => '');
        throw new Error('late');
      },
    });
    expect(stdout).toBe('{"ok":true,"data":1}\n');
  });
});

describe('output', () => {
  test('has no colour when stdout is no terminal', async () => {
    const { stdout } = await run('tables', {
      action: ({ out }) => out.result(null, (paint) => paint.red('text')),
    });
    expect(stdout).toBe('text');
  });

  test('is coloured on a terminal, unless NO_COLOR says otherwise', async () => {
    const terminal = () => Object.assign(new Recorder(), { isTTY: true });
    const action = ({ out }: Context) => out.result(null, (paint) => paint.red('text'));
    expect((await run('tables', { action, stdout: terminal() })).stdout).toBe('\u001b[31mtext\u001b[39m');
    expect((await run('tables', { action, stdout: terminal(), env: { NO_COLOR: '1' } })).stdout).toBe('text');
  });

  test('into a closed pipe stops the command quietly', async () => {
    const stdout = Object.assign(new Recorder(), {
      failWith: Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }),
    });
    let stopped = false;
    const { exit, stderr } = await run('tables', {
      stdout,
      action: async ({ out, signal }) => {
        await out.write('row\n');
        stopped = signal.aborted;
        throw signal.reason;
      },
    });
    expect({ exit, stderr, stopped }).toEqual({ exit: 0, stderr: '', stopped: true });
  });

  test('that cannot be written is a failure', async () => {
    const stdout = Object.assign(new Recorder(), {
      failWith: Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }),
    });
    const { exit, stderr } = await run('tables', { stdout, action: ({ out }) => out.write('row\n') });
    expect(exit).toBe(1);
    expect(stderr).toContain('the disk is full');
  });
});

describe('stopping', () => {
  test('a command that returns after the signal ends as it says', async () => {
    expect((await run('tables', { signal: AbortSignal.abort(), action: async () => 0 })).exit).toBe(0);
  });

  test('a command that breaks off because of the signal exits with 130 and no report', async () => {
    const { exit, stderr } = await run('tables', {
      signal: AbortSignal.abort(),
      action: ({ signal }) => Promise.reject(signal.reason),
    });
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: 'stopped\n' });
  });

  test('a command that cannot close what it opened, because of what went wrong, tells that', async () => {
    const stopped = AbortSignal.abort();
    const action = async ({ args }: Context) => {
      await using _part = {
        [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot close it')),
      };
      if (args[0] === 'raw') stopped.throwIfAborted();
      throw new Failure('the store is away', { code: 'store.away', fault: 'service', retry: 'backoff' });
    };
    const failed = await run('tables staging', { action });
    expect([failed.exit, failed.stderr]).toEqual([5, expect.stringContaining('the store is away')]);
    expect(await run('tables raw', { action, signal: stopped })).toMatchObject({ exit: 130 });
  });

  test('with --json it is answered with an object that says so, once', async () => {
    const stopped = (answer?: object) =>
      run('tables --json', {
        signal: AbortSignal.abort(),
        action: async ({ out, signal }) => {
          if (answer !== undefined) await out.result(answer, () => '');
          throw signal.reason;
        },
      });
    const { exit, stdout, stderr } = await stopped();
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: 'stopped\n' });
    const text = expect.any(String);
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'cli.stopped', message: text, why: text, fix: text, read: text },
    });
    expect(await stopped({ sent: 3 })).toMatchObject({
      exit: 130,
      stdout: '{"ok":true,"data":{"sent":3}}\n',
    });
  });

  test('is told on a line of its own, whatever progress is being shown', async () => {
    const stop = new AbortController();
    const stderr = Object.assign(new Recorder(), { isTTY: true });
    let now_ms = 0;
    await run('tables', {
      stderr,
      // A second passes between any two looks: every update is shown.
      clock: { ...systemClock, now: () => (now_ms += 1000) },
      signal: stop.signal,
      action: async ({ out }) => {
        const progress = out.progress({ label: 'sending', unit: 'records' });
        progress.update(1);
        stop.abort();
        progress.end();
      },
    });
    expect(stderr.text).toContain('\r\u001b[2Kstopping; once more to stop at once\n');
  });

  test('a question that is interrupted by the signal exits with 130; by anything else, it failed', async () => {
    const interrupted = new Failure('the query was interrupted', {
      code: 'query.interrupted',
      fault: 'user',
    });
    const action = () => Promise.reject(interrupted);
    expect((await run('tables', { signal: AbortSignal.abort(), action })).exit).toBe(130);
    expect((await run('tables', { action })).exit).toBe(1);
  });
});

test('an error that nobody foresaw exits with 70 and its stack', async () => {
  const { exit, stderr } = await run('tables', { action: () => Promise.reject(new TypeError('oops')) });
  expect(exit).toBe(70);
  expect(stderr).toContain('execute.test.ts');
});
