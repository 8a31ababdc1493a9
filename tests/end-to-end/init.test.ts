import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lakeward } from '../support/program.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'init-'));
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const FILES = ['lakeward.config.ts', 'transforms/daily-active.ts', 'transforms/daily-active.test.ts'];

describe('lakeward init', () => {
  it('makes a project whose test runs by node --test, and whose transform runs on events', async () => {
    const { code, stdout } = await lakeward(['init', 'project'], { cwd });
    expect(code).toBe(0);
    for (const file of FILES) expect(stdout).toContain(`wrote  ${file}`);
    expect(stdout).toContain('cd project');

    const project = join(cwd, 'project');
    const tested = await promisify(execFile)(process.execPath, ['--test'], { cwd: project });
    expect(tested.stdout).toMatch(/(#|ℹ) pass 1\n/);

    const lesson = {
      event_uuid: '1',
      event_name: 'lesson:started',
      created_at: 1_767_225_600,
      learner_id: 'ann',
    };
    await writeFile(join(project, 'events.ndjson'), JSON.stringify(lesson));
    await lakeward(['send', 'events.ndjson'], { cwd: project });
    expect((await lakeward(['run', '--once'], { cwd: project })).code).toBe(0);
    const { stdout: rows } = await lakeward(['sql', '--format', 'json', 'from marts.daily_active'], {
      cwd: project,
    });
    expect(JSON.parse(rows)).toEqual([{ day: '2026-01-01', learners: 1, lessons: 0 }]);
    const listed = await lakeward(['transform', 'list', '--json'], { cwd: project });
    expect(JSON.parse(listed.stdout).data).toMatchObject([
      { name: 'daily_active', rows: 1, state: 'current' },
    ]);
    const shown = await lakeward(['transform', 'show', 'daily_active', '--json'], { cwd: project });
    expect(JSON.parse(shown.stdout).data.runs[0]).toMatchObject({ kind: 'run', days: '2026-01-01', rows: 1 });
    const planned = await lakeward(['transform', 'backfill', 'daily_active', '--dry-run'], { cwd: project });
    expect(planned.stdout).toContain('would compute 2026-01-01 anew, in 1 commit,');
  });

  it('shows a command for the test that works, also where the Node of the machine finds no test', async () => {
    const bin = join(cwd, 'old');
    await mkdir(bin);
    await writeFile(join(bin, 'node'), '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 });
    const env = { PATH: `${bin}:${process.env['PATH']}` };
    const { stdout } = await lakeward(['init', 'beside an old one'], { cwd, env });
    const command = /^ {2}(.*node --test) /m.exec(stdout)![1]!;
    const project = join(cwd, 'beside an old one');
    const tested = await promisify(execFile)('sh', ['-c', command], { cwd: project, env });
    expect(tested.stdout).toMatch(/(#|ℹ) pass 1\n/);
  });

  it('overwrites nothing', async () => {
    const project = join(cwd, 'project');
    await writeFile(join(project, 'lakeward.config.ts'), 'export default {}; // mine\n');
    const { code, stdout } = await lakeward(['init', 'project', '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).data).toMatchObject({ created: [], kept: expect.arrayContaining(FILES) });
    expect(await readFile(join(project, 'lakeward.config.ts'), 'utf8')).toContain('// mine');
  });
});

describe('lakeward transform', () => {
  it('says in four lines what is wrong with a definition, and where', async () => {
    const project = join(cwd, 'project');
    await writeFile(
      join(project, 'transforms/wrong.ts'),
      "import { defineTransform } from 'lakeward';\nexport default defineTransform({ name: 'wrong', from: [], mode: 'append', sql: 'select 1 as n' });\n",
    );
    const { code, stderr } = await lakeward(['transform', 'run'], { cwd: project });
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringContaining(
        'wrong.ts: transform wrong: from does not say what it reads [transform.bad_definition]',
      ),
      expect.stringMatching(/^ {2}why/),
      expect.stringMatching(/^ {2}fix/),
      expect.stringMatching(/^ {2}read {2}docs\/reference\/transforms.md/),
    ]);
    // Events are not kept waiting for it.
    const run = await lakeward(['run', '--once', '--json'], { cwd: project });
    expect([run.code, JSON.parse(run.stdout).ok]).toEqual([1, true]);
    expect(run.stderr).toContain('transform.not_loaded');
    expect((await lakeward(['run', '--once', 'transforms'], { cwd: project })).stderr).toContain(
      'bad_definition',
    );
    await rm(join(project, 'transforms/wrong.ts'));
  });

  it('names the transform that was meant, and exits 1 where one fails', async () => {
    const project = join(cwd, 'project');
    const unknown = await lakeward(['transform', 'run', 'daily_activ'], { cwd: project });
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('did you mean daily_active?'),
    ]);
    await writeFile(
      join(project, 'transforms/failing.ts'),
      "import { defineTransform } from 'lakeward';\nexport default defineTransform({ name: 'failing', from: ['lesson:*'], mode: 'append', sql: 'select x as n from events' });\n",
    );
    const failing = await lakeward(['transform', 'run', '--json'], { cwd: project });
    expect(failing.code).toBe(1);
    expect(JSON.parse(failing.stdout).data).toMatchObject([
      { name: 'daily_active', commits: 0 },
      { name: 'failing', error: { code: 'transform.sql' } },
    ]);
  });
});

describe('lakeward types', () => {
  it('writes the types of the events, and says in CI when they have changed', async () => {
    const project = join(cwd, 'project');
    const types = (...args: string[]) => lakeward(['types', '--out', 'events.ts', ...args], { cwd: project });
    expect((await types('--check')).code).toBe(3);
    expect((await types()).code).toBe(0);
    expect((await types('--check')).code).toBe(0);
    const text = await readFile(join(project, 'events.ts'), 'utf8');
    expect(text).toContain('export type LessonStarted = {\n  created_at: number;');
    await writeFile(
      join(project, 'events.ndjson'),
      '{"event_uuid":"2","event_name":"lesson:started","created_at":1767225601,"score":1}',
    );
    await lakeward(['send', 'events.ndjson'], { cwd: project });
    await lakeward(['run', '--once', 'processor', 'staging'], { cwd: project });
    const stale = await types('--check', '--json');
    expect([stale.code, JSON.parse(stale.stdout).data]).toMatchObject([3, { changed: true, written: false }]);
    expect(await readFile(join(project, 'events.ts'), 'utf8')).toBe(text);
  });
});
