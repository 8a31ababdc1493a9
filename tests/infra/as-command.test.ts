/** What `make plan`, `make deploy` and `make destroy` say when they cannot go on; needs no Terraform. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { Stopped, stoppedText } from '../../infra/deploy/as-command.ts';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { variablesFor } from '../../infra/deploy/emulator.ts';
import { run, runWell } from '../../infra/deploy/programs.ts';

const make = (...args: string[]) => run('make', ['--no-print-directory', ...args], { cwd: PROJECT });

/** Four lines, and no place in our code. */
function expectExplained(stderr: string, what: RegExp): void {
  const lines = stderr.split('\n');
  const first = lines.findIndex((line) => what.test(line));
  expect(lines.slice(first, first + 4), stderr).toEqual([
    expect.stringMatching(what),
    expect.stringMatching(/^ {2}why {3}\S/),
    expect.stringMatching(/^ {2}fix {3}\S/),
    '  read  docs/how-to/deploy.md',
  ]);
  expect(stderr).not.toMatch(/\.ts:\d+|Node\.js v/);
}

test.each(['plan', 'deploy', 'destroy'])(
  'make %s of an environment that is not there names those that are',
  async (what) => {
    const { code, stderr } = await make(what, 'ENV=production');
    expect(code).not.toBe(0);
    expectExplained(stderr, new RegExp(`^make ${what}: there is no environment production$`));
    expect(stderr).toContain('dev, local, prod, test');
  },
);

test('an endpoint where nothing answers, and one that is no emulator, are told as what they are', async () => {
  const server = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(variablesFor(endpoint)).rejects.toThrow('is no emulator of AWS');
  await new Promise((resolve) => server.close(resolve));
  const refused = (await variablesFor(endpoint).catch((error: unknown) => error)) as Stopped;
  expect(refused).toBeInstanceOf(Stopped);
  expectExplained(stoppedText('make deploy', refused, 'again'), /^make deploy: nothing answers at http:/);
});

test('of a program that failed its errors are shown, not how far it had come, and then how to go on', async () => {
  const script =
    'console.log("module.a: Creating" + ".".repeat(3)); console.error("Error: creating it"); process.exit(3)';
  const failed = (await runWell(process.execPath, ['-e', script]).catch(
    (error: unknown) => error,
  )) as Stopped;
  const text = stoppedText('make deploy', failed, 'say it again');
  expect(text).toMatch(
    /^Error: creating it\n\nmake deploy: node .*failed\n {2}why {3}it ended with exit code 3\n/s,
  );
  expect(text).toContain('\n  fix   say it again\n');
  expect(text).not.toContain('Creating...');
});
