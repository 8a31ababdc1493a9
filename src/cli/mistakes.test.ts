/** What is told before anything is done. */
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lakeFolder } from '../../tests/support/worker.ts';
import { ran } from './test-command.ts';

it.each([
  [['find'], 'EVENT_UUID is missing'],
  [['find', ''], 'EVENT_UUID is empty'],
  [['sql', ''], 'SQL is empty'],
])('%s is a mistake on the command line, and the usage is named', async (args, message) => {
  const { exit, stdout, stderr } = await ran(await lakeFolder(), ...args);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
  expect(stderr).toMatch(
    new RegExp(`^lakeward: ${message} \\[cli\\.usage\\]\\n.+\\n +fix +lakeward ${args[0]} `),
  );
});

it('dev says that its stream is none of Amazon’s, and makes nothing', async () => {
  const folder = await lakeFolder();
  const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/events';
  const { exit, stderr } = await ran(folder, 'dev', '--stream', arn);
  expect({ exit, stderr }).toEqual({ exit: 2, stderr: expect.stringContaining('[config.stream_elsewhere]') });
  expect(await readdir(folder)).toEqual([]);
});

it('dev whose stream cannot be made leaves no word that it serves one', async () => {
  const folder = await lakeFolder();
  const { exit } = await ran(folder, 'dev', '--stream', 'no name!', '--stream-port', '0');
  expect(exit).not.toBe(0);
  expect(await readdir(folder)).not.toContain('endpoint.json');
  // Nor does it hold the folder.
  expect(await ran(folder, 'send')).toMatchObject({ exit: 0 });
});

it.each([
  ['longer than a name may be', 'x'.repeat(300), 'ENAMETOOLONG'],
  ['of links that lead back to each other', 'loop/lake', 'ELOOP'],
  ['below a file', 'file/lake', 'ENOTDIR'],
])('a folder %s is no bug of ours', async (_, name, code) => {
  const folder = await lakeFolder();
  await symlink('loop', join(folder, 'loop'));
  await writeFile(join(folder, 'file'), '');
  const { exit, stderr } = await ran(join(folder, name), 'dev');
  expect({ exit, stderr }).toEqual({
    exit: 1,
    stderr: expect.stringContaining(`[system.${code.toLowerCase()}]`),
  });
});
