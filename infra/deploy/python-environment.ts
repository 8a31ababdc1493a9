/**
 * Programs from PyPI, each set in a virtual environment of its own in the user's cache. A folder gets its name only
 * when it is whole, so that a run that dies in the middle leaves nothing that another would use.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Stopped } from './as-command.ts';
import { cacheFolder } from './cache.ts';
import { run, runWell } from './programs.ts';

export interface Programs {
  name: string;
  packages: readonly string[];
  /** The Pythons that it runs on, as `3.13`, the best first. */
  pythons: readonly string[];
}

/** The checks of a plan. */
export const CHECKOV: Programs = {
  name: 'checkov',
  packages: ['checkov==3.2.497'],
  pythons: ['3.11', '3.12', '3.10', '3.13'],
};

/** The folder of the environment; its programs are in `bin`. */
export async function pythonEnvironment(programs: Programs): Promise<string> {
  const python = await findPython(programs);
  const key = createHash('sha256')
    .update(JSON.stringify([programs.packages, python]))
    .digest('hex');
  const folder = cacheFolder('python', `${programs.name}-${key.slice(0, 16)}`);
  const ready = () =>
    stat(folder).then(
      () => true,
      () => false,
    );
  if (await ready()) return folder;
  const half = cacheFolder('python', `.half-${crypto.randomUUID()}`);
  await mkdir(cacheFolder('python'), { recursive: true });
  try {
    await runWell(python, ['-m', 'venv', half]);
    const quiet = ['--quiet', '--no-input', '--disable-pip-version-check'];
    await runWell(join(half, 'bin/python'), ['-m', 'pip', 'install', ...quiet, ...programs.packages]);
    await rename(half, folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    if (!(await ready())) throw error;
  }
  return folder;
}

async function findPython({ name, pythons }: Programs): Promise<string> {
  const versions = join(process.env['PYENV_ROOT'] || join(homedir(), '.pyenv'), 'versions');
  const ofPyenv = await readdir(versions).catch(() => []);
  for (const version of pythons) {
    const installed = ofPyenv.filter((each) => each.startsWith(`${version}.`));
    const paths = [`python${version}`, ...installed.map((each) => join(versions, each, 'bin/python3'))];
    for (const path of paths) if (await works(path, version)) return path;
  }
  throw new Stopped(`no Python for ${name}`, {
    why: `it needs Python ${pythons.join(' or ')} with venv, and none was found on the PATH or in pyenv`,
    fix: `install one of them (pyenv install ${pythons[0]}), or name an ENDPOINT that runs already`,
  });
}

async function works(python: string, version: string): Promise<boolean> {
  const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
  const answer = await run(python, ['-c', probe]).catch(() => undefined);
  return answer?.code === 0 && answer.stdout.trim() === version;
}
