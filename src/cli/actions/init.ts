import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from '../../base/base.ts';
import type { InitAction } from '../commands/init.ts';
import { PACKAGE, shellWord } from '../paste.ts';
import { projectFiles } from '../project-files.ts';

export const init: InitAction = async ({ args, cwd, env, out }) => {
  const folder = resolve(cwd, args[0] ?? '.');
  const created: string[] = [];
  const kept: string[] = [];
  const lakeward = `file:${relative(folder, PACKAGE) || '.'}`;
  for (const { path, text } of projectFiles({ name: basename(folder), lakeward })) {
    (await writeNew(join(folder, path), text)) ? created.push(path) : kept.push(path);
  }
  if (!findsPackage(folder)) {
    await link(folder);
    created.push('node_modules/lakeward');
  }
  const where = relative(cwd, folder);
  const steps = [
    [`${await nodeFor(folder, env)} --test`, 'the test of the first transform'],
    ['lakeward dev', 'a stream and a lake here; the transform runs with it'],
    ['lakeward send FILE', 'events into it'],
    ['lakeward transform list', 'how far the transforms are'],
  ] as const;
  const widest = Math.max(...steps.map(([line]) => line.length));
  await out.result({ folder, created, kept }, (paint) =>
    [
      ...created.map((path) => `${paint.green('wrote')}  ${path}`),
      ...kept.map((path) => `${paint.dim('kept')}   ${path}`),
      '',
      'Next:',
      ...(where === '' ? [] : [`  cd ${shellWord(where)}`]),
      ...steps.map(([line, does]) => `  ${line.padEnd(widest)}   ${does}`),
      '',
    ].join('\n'),
  );
};

/** The `node` that a shell finds or, where it is too old to find the tests, the one that runs this program. */
async function nodeFor(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)('node', ['--version'], { env }).catch(() => ({ stdout: '' }));
  const major = Number(/^v(\d+)/.exec(stdout)?.[1] ?? 0);
  return major >= 24 ? 'node' : shellWord(relative(folder, process.execPath));
}

/** False when there is such a file already: it is never overwritten. */
async function writeNew(path: string, text: string): Promise<boolean> {
  await makeFolder(dirname(path));
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function findsPackage(folder: string): boolean {
  try {
    createRequire(join(folder, 'package.json')).resolve('lakeward');
    return true;
  } catch {
    return false;
  }
}

/** As `npm install` of a folder does it. */
async function link(folder: string): Promise<void> {
  await makeFolder(join(folder, 'node_modules'));
  await symlink(PACKAGE, join(folder, 'node_modules/lakeward'), 'dir');
}
