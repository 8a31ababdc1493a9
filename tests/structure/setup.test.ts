/** `make setup` in folders of the test's own: npm is a script that tells how it was called. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT } from './project-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'setup-'));
  copyFileSync(join(ROOT, 'Makefile'), join(folder, 'Makefile'));
  for (const file of ['package.json', 'package-lock.json']) writeFileSync(join(folder, file), '{}');
  for (const made of ['bin', 'shared']) mkdirSync(join(folder, made));
  // As npm ci does: what is in the folder goes, link or not.
  writeFileSync(
    join(folder, 'bin/npm'),
    '#!/bin/sh\necho "npm $1" >> calls\nmkdir -p node_modules\nrm -rf node_modules/*\n',
  );
  chmodSync(join(folder, 'bin/npm'), 0o755);
  writeFileSync(join(folder, 'shared/package'), 'of another checkout');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const setUp = () =>
  spawnSync('make', ['setup'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, MAKEFLAGS: '' },
  });

test('make setup installs what is not installed yet, and nothing a second time', () => {
  expect(setUp().status).toBe(0);
  expect(existsSync(join(folder, 'calls'))).toBe(true);
  rmSync(join(folder, 'calls'));
  expect(setUp().status).toBe(0);
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});

test('make setup refuses a node_modules that is a link, whose folder npm would empty, and says how to go on', () => {
  symlinkSync(join(folder, 'shared'), join(folder, 'node_modules'));
  const { status, stderr } = setUp();
  expect(status).not.toBe(0);
  expect(stderr.split('\n').slice(0, 4)).toEqual([
    expect.stringMatching(/^make setup: node_modules is a symbolic link/),
    expect.stringMatching(/^ {2}why {3}\S/),
    expect.stringMatching(/^ {2}fix {3}rm node_modules/),
    expect.stringMatching(/^ {2}read {2}CONTRIBUTING\.md#set-up$/),
  ]);
  expect(existsSync(join(folder, 'shared/package'))).toBe(true);
  expect(existsSync(join(folder, 'calls'))).toBe(false);
});
