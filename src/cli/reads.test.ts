/** Commands that only ask, run whole on folders: what they leave as it was. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { systemClock } from '../base/base.ts';
import { actions } from './actions.ts';
import { allCommands } from './commands.ts';
import { execute } from './execute.ts';
import type { Sink } from './output.ts';

async function ran(dir: string, ...args: string[]) {
  const text = { out: '', err: '' };
  const into = (key: 'out' | 'err'): Sink => ({
    write: (chunk, done) => {
      text[key] += chunk;
      done();
    },
  });
  const exit = await execute({
    argv: [...args, '--dir', dir],
    commands: allCommands(async () => actions),
    ...{ version: '0', env: { NO_COLOR: '1' }, cwd: dir, stdin: Readable.from([]) },
    ...{ stdout: into('out'), stderr: into('err'), clock: systemClock, signal: new AbortController().signal },
  });
  return { exit, stdout: text.out, stderr: text.err };
}

const QUESTIONS = [
  ['status'],
  ['verify'],
  ['verify', '--stream', 'other'],
  ['sql', 'select 1'],
  ['tables'],
  ['tables', 'raw.events'],
  ['find', 'e1'],
  ['quarantine', 'list'],
  ['maintain', '--dry-run'],
  ['types', '--check'],
];

it.each(QUESTIONS.map((args) => [args.join(' '), args]))(
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

it('a catalog file that is no database is no matter of trying again', async () => {
  const folder = await lakeFolder();
  await writeFile(
    join(folder, 'catalog.sqlite'),
    'no database, but as long as the header of one: '.repeat(10),
  );
  const { exit, stderr } = await ran(folder, 'tables');
  expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining('docs/how-to/recover.md') });
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
  expect((await ran(dir, 'send', events)).exit).toBe(0);
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
