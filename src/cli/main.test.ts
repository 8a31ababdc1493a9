import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

const start = (...words: string[]) =>
  spawn(process.execPath, [MAIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });

test('the real process answers on stdout, with the version of the package', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const child = start('--version');
  const [stdout, stderr, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect({ stdout, stderr, exit }).toEqual({ stdout: `${manifest.version}\n`, stderr: '', exit: 0 });
});

test('the real process ends quietly when nobody reads its output', async () => {
  const child = start('run', '--help');
  child.stdout.destroy();
  const [stderr, [exit]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
});

test('the real process exits with 2 when it is not understood', async () => {
  const child = start('rnu');
  const [stdout, stderr, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
  expect(stderr).toContain('did you mean lakeward run?');
});
