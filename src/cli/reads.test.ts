/** Commands that only ask, run whole on folders: what they leave as it was, and what they let through to a terminal. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { openSqliteCatalog } from '../lake/lake.ts';
import { ran } from './test-command.ts';

const TRANSFORMS = join(import.meta.dirname, '../../examples/daily-active/transforms');

const WITHOUT_A_LAKE = [
  ['status'],
  ['verify'],
  ['verify', '--stream', 'other'],
  ['sql', 'select 1'],
  ['tables'],
  ['tables', 'raw.events'],
  ['find', 'e1'],
  ['quarantine', 'list'],
  ['maintain', '--dry-run'],
  ['maintain'],
  ['transform', 'run', '--transforms-dir', TRANSFORMS],
  ['transform', 'backfill', 'daily_active', '--transforms-dir', TRANSFORMS],
  ['types', '--check'],
];

it.each(WITHOUT_A_LAKE.map((args) => [args.join(' '), args]))(
  '%s makes no lake where there is none',
  async (_, args) => {
    const folder = await lakeFolder();
    const missing = await ran(join(folder, 'mistyped'), ...args);
    const empty = await ran(folder, ...args);
    expect(await readdir(folder)).toEqual([]);
    for (const { exit, stdout, stderr } of [missing, empty]) {
      expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
      expect(stderr).toMatch(/^lakeward: there is no lake in .+\n +why .+\n +fix .*--dir.+\n +read .+\n$/);
    }
  },
);

it('transform list tells of definitions before there is a lake, and makes none', async () => {
  const folder = await lakeFolder();
  const { exit, stdout } = await ran(folder, 'transform', 'list', '--transforms-dir', TRANSFORMS);
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringMatching(/daily_active .*never run/) });
  expect(await readdir(folder)).toEqual([]);
});

it('tables whose catalog is lost are told from a folder without a lake, and how to get them back', async () => {
  const folder = await lakeFolder();
  const metadata = join(folder, 'lake', 'raw', 'events', 'metadata');
  await mkdir(metadata, { recursive: true });
  expect((await ran(folder, 'tables')).stderr).toContain('[lake.no_lake]');
  await writeFile(join(metadata, '00001-0.metadata.json'), '{}');
  const { exit, stderr } = await ran(folder, 'tables');
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr: expect.stringContaining('recover.md#the-catalog-file-is-lost'),
  });
  expect(await readdir(folder)).toEqual(['lake']);
});

it('a catalog file that is no database is no matter of trying again', async () => {
  const folder = await lakeFolder();
  await writeFile(
    join(folder, 'catalog.sqlite'),
    'no database, but as long as the header of one: '.repeat(10),
  );
  const { exit, stderr } = await ran(folder, 'tables');
  expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('docs/how-to/recover.md') });
});

it('who may not write the folder of a lake can ask all the same, and leaves nothing in it', async () => {
  const folder = await lakeFolder();
  await chmod(folder, 0o755);
  await openSqliteCatalog({ path: join(folder, 'catalog.sqlite') }).close();
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '-e', ASKED_AGAIN, folder],
  ]);
  expect(stdout).toBe('0\nanswer\n42\n'.repeat(2));
  await chmod(folder, 0o755);
  expect([await readdir(folder), await readdir(join(folder, 'work'))]).toEqual([
    ['catalog.sqlite', 'work'],
    [],
  ]);
});

/** First as the owner, so that everything is loaded; then without the right to write, which root always has. */
const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
const ASKED_AGAIN = `
  const [{ execute }, { actions }, { allCommands }, { systemClock }, { Readable }, { chmodSync }] = await Promise.all([
    import(${here('./execute.ts')}), import(${here('./actions.ts')}), import(${here('./commands.ts')}),
    import(${here('../base/base.ts')}), import('node:stream'), import('node:fs'),
  ]);
  const dir = process.argv[1];
  const asked = async () => {
    let text = '';
    const sink = { write: (chunk, done) => { text += chunk; done(); } };
    const exit = await execute({
      argv: ['sql', 'select 42 as answer', '--format', 'csv', '--dir', dir],
      commands: allCommands(async () => actions),
      version: '0', env: {}, cwd: dir, stdin: Readable.from([]), stdout: sink, stderr: sink,
      clock: systemClock, signal: new AbortController().signal,
    });
    process.stdout.write(exit + '\\n' + text);
  };
  await asked();
  for (const [name, rights] of [['catalog.sqlite', 0o444], ['work', 0o555], ['.', 0o555]])
    chmodSync(dir + '/' + name, rights);
  if (process.getuid() === 0) process.setuid(65534);
  await asked();
`;

it.each(['sql', 'send'])(
  '%s that waits for something to be typed says so, and ends at Ctrl-C',
  async (command) => {
    const stop = new AbortController();
    const stdin = Object.assign(new Readable({ read: () => stop.abort() }), { isTTY: true });
    const { exit, stderr } = await ran({ dir: await lakeFolder(), stdin, signal: stop.signal }, command);
    expect({ exit, stderr }).toEqual({
      exit: 130,
      stderr: expect.stringMatching(/^waiting for .* to be typed/),
    });
  },
);

it('quarantine list shows text as text, wherever a character of several bytes lies across the end of what is shown', async () => {
  const dir = await lakeFolder();
  const events = join(dir, 'events.ndjson');
  await writeFile(events, [0, 1, 2].map((blanks) => `${'x'.repeat(blanks)}${'日'.repeat(30)}\n`).join(''));
  await ran(dir, 'send', events);
  await ran(dir, 'run', '--once');
  const { records } = JSON.parse((await ran(dir, 'quarantine', 'list', '--json')).stdout).data;
  expect(records.map(({ head }: { head: string }) => head).toSorted()).toEqual(
    [...[2, 1].map((blanks) => 'x'.repeat(blanks) + '日'.repeat(26)), '日'.repeat(26)].toSorted(),
  );
});

it('health finds no lake to be well where there is none', async () => {
  const folder = await lakeFolder();
  const { exit, stdout } = await ran(join(folder, 'mistyped'), 'health');
  expect({ exit, stdout }).toEqual({ exit: 1, stdout: expect.stringContaining('[lake.no_lake]') });
  expect(await readdir(folder)).toEqual([]);
});

it('verify makes no stream, and says that there is none of the name', async () => {
  const folder = await lakeFolder();
  const events = join(folder, 'events.ndjson');
  await writeFile(events, '{"event_uuid":"a","event_name":"lesson:started","created_at":1767225600}\n');
  const dir = join(folder, 'lake');
  await mkdir(dir);
  const sent = await ran(dir, 'send', events);
  expect(sent).toMatchObject({ exit: 0, stderr: expect.stringContaining(`run --once --dir ${dir} `) });
  expect((await ran(dir, 'run', '--once')).exit).toBe(0);
  for (const again of [false, true]) {
    const { exit, stderr } = await ran(dir, 'verify', '--stream', 'other');
    expect({ again, exit, stderr }).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining('none of this name'),
    });
  }
  const { exit, stdout } = await ran(dir, 'verify');
  expect({ exit, stdout }).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining('every event of it is in raw'),
  });
});

const HOSTILE = '\u001b[2J\u0007\u009b31m\u007f\u202e';

describe('control characters in events', () => {
  let cwd: string;
  const asked = (...args: string[]) => ran({ dir: cwd, terminal: true }, ...args);

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'visible-'));
    const events = join(cwd, 'events.ndjson');
    const event = {
      event_uuid: `e${HOSTILE}`,
      event_name: `a${HOSTILE}:b`,
      created_at: 1767225600,
      x: HOSTILE,
    };
    const none = { ...event, created_at: HOSTILE };
    // As they are, where JSON allows it: DEL, C1 and what turns the direction of text.
    const records = [event, none].map((each) => JSON.stringify(each));
    await writeFile(events, [...records, HOSTILE].join('\n'));
    expect((await asked('send', events)).exit).toBe(0);
    expect((await asked('run', '--once')).exit).toBe(0);
  });

  afterAll(() => rm(cwd, { recursive: true, force: true }));

  const question = "select *, document->>'$.x' as x from staging.events";
  it.each<[string, string[]]>([
    ['a table', ['sql', question]],
    ['CSV', ['sql', question, '--format', 'csv']],
    ['JSON', ['sql', question, '--format', 'json']],
    ['JSON a line', ['sql', question, '--format', 'ndjson']],
    ['what the engine says of a row', ['sql', "select error(document->>'$.x') from staging.events"]],
    ['what it says of a cast', ['sql', "select (document->>'$.x')::int from staging.events"]],
    ['what it says of a question', ['sql', `select ${HOSTILE}`]],
    ['find', ['find', `e${HOSTILE}`]],
    ['find as JSON', ['find', `e${HOSTILE}`, '--json']],
    ['find of what is nowhere', ['find', `nowhere${HOSTILE}`]],
    ['quarantine', ['quarantine', 'list']],
    ['quarantine as JSON', ['quarantine', 'list', '--json']],
    ['the name of a table', ['tables', HOSTILE]],
    ['the name of a command', [HOSTILE]],
  ])('never get to the terminal by %s', async (_, args) => {
    const { stdout, stderr } = await asked(...args);
    expect(stdout + stderr).toContain('\\u001b');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('are in a file as they came', async () => {
    const question = ['sql', "select document->>'$.x' from staging.events", '--format', 'csv'];
    expect((await ran({ dir: cwd, terminal: false }, ...question)).stdout).toContain(HOSTILE);
  });
});
