/**
 * Other programs to test against, by way of Python: an interpreter of this machine, with pinned packages in a folder of
 * the user's cache. A folder appears under its name only when it is complete, so that a run that dies in the middle,
 * or two that race, leave nothing that another would use half made.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { parseJson, stringifyJson } from '../../src/base/base.ts';

/** Sets of packages by what they are for; the newest that have wheels for every Python from 3.10 on. */
const PACKAGES = {
  iceberg: [
    'pyiceberg[pyarrow,pyiceberg-core,sql-sqlite]==0.12.0',
    'pyarrow==25.0.1',
    'sqlalchemy==2.0.58',
    'fastavro==1.12.1',
    'duckdb==1.4.4',
    'duckdb-ext-avro==1.4.4.20260205',
    'duckdb-ext-httpfs==1.4.4.20260205',
    'duckdb-ext-iceberg==1.4.4.20260205',
  ],
  kinesis: ['boto3==1.44.8'],
} as const satisfies Record<string, readonly string[]>;

export type PackageSet = keyof typeof PACKAGES;

export interface Python {
  /** Why there is none; undefined when there is one. */
  missing: string | undefined;
  /** Runs a script that reads one JSON document from stdin and writes one as its last line of stdout. */
  run<T>(script: string, input: unknown): Promise<T>;
}

/** On a developer's machine a missing Python is a reason to skip; where `CI` is set it is an error. */
export async function pythonWith(set: PackageSet): Promise<Python> {
  const found = await environment(PACKAGES[set]);
  if ('interpreter' in found) {
    return { missing: undefined, run: (script, input) => runScript(found.interpreter, { script, input }) };
  }
  const missing = `no Python with ${set} packages: ${found.missing}`;
  if (process.env['CI']) throw new Error(missing);
  return { missing, run: () => Promise.reject(new Error(missing)) };
}

/** A suite that is skipped, with the reason in its title, when there is no Python. */
export function describeWith({ missing }: Python, title: string, tests: () => void): void {
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, tests);
}

const PROBE_MS = 20_000;
const VENV_MS = 120_000;
const INSTALL_MS = 900_000;
const SCRIPT_MS = 240_000;
/** With the network gone every attempt takes its time; one interpreter may be too new or too old for the wheels. */
const INTERPRETERS_TRIED = 2;
const HALF_MADE = '.half-made-';
const HALF_MADE_MS_MAX = 86_400_000;

async function environment(
  packages: readonly string[],
): Promise<{ interpreter: string } | { missing: string }> {
  const interpreters = await usableInterpreters();
  if (interpreters.length === 0) return { missing: 'no interpreter of 3.10 or newer with venv and pip' };
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lakeward-tests');
  await mkdir(cache, { recursive: true });
  const folders = interpreters.map((interpreter) => ({
    interpreter,
    folder: join(cache, `python-${hash([packages, interpreter])}`),
  }));
  for (const { folder } of folders) if (await exists(folder)) return { interpreter: pythonOf(folder) };
  await removeHalfMade(cache);
  const failures: string[] = [];
  for (const { interpreter, folder } of folders.slice(0, INTERPRETERS_TRIED)) {
    try {
      await makeEnvironment({ interpreter, folder, cache, packages });
      return { interpreter: pythonOf(folder) };
    } catch (error) {
      failures.push(lastLine(error));
    }
  }
  return { missing: failures.join('; ') };
}

interface Interpreter {
  path: string;
  version: string;
}

/** By version, newest name first; a name can stand for nothing (a shim of pyenv without its version). */
async function usableInterpreters(): Promise<Interpreter[]> {
  const named = ['python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3'];
  const versions = join(process.env['PYENV_ROOT'] || join(homedir(), '.pyenv'), 'versions');
  const ofPyenv = (await readdir(versions).catch(() => [])).filter((version) => /^3\.1\d\./.test(version));
  const paths = [...named, ...ofPyenv.map((version) => join(versions, version, 'bin', 'python3'))];
  const probed = await Promise.all(paths.map(probe));
  const byPath = new Map(probed.filter((each) => each !== undefined).map((each) => [each.path, each]));
  return [...byPath.values()];
}

const PROBE = `import sys, json, venv, ensurepip
print(json.dumps({"path": sys.executable, "version": sys.version, "usable": sys.version_info >= (3, 10)}))`;

async function probe(path: string): Promise<Interpreter | undefined> {
  try {
    const answer = JSON.parse(await execute(path, ['-c', PROBE], { timeout_ms: PROBE_MS })) as Interpreter & {
      usable: boolean;
    };
    return answer.usable ? { path: answer.path, version: answer.version } : undefined;
  } catch {
    return undefined;
  }
}

async function makeEnvironment(made: {
  interpreter: Interpreter;
  folder: string;
  cache: string;
  packages: readonly string[];
}): Promise<void> {
  const half = join(made.cache, `${HALF_MADE}${crypto.randomUUID()}`);
  try {
    await execute(made.interpreter.path, ['-m', 'venv', half], { timeout_ms: VENV_MS });
    // Only wheels: a package that has none for this Python would otherwise be compiled for an hour, or fail halfway.
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-input',
      '--disable-pip-version-check',
      '--retries',
      '1',
    ];
    await execute(pythonOf(half), [...pip, '--only-binary', ':all:', ...made.packages], {
      timeout_ms: INSTALL_MS,
    });
    await rename(half, made.folder);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another run was faster.
    if (!(await exists(made.folder))) throw error;
  }
}

async function removeHalfMade(cache: string): Promise<void> {
  for (const name of (await readdir(cache)).filter((each) => each.startsWith(HALF_MADE))) {
    const path = join(cache, name);
    const age_ms = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age_ms > HALF_MADE_MS_MAX) await rm(path, { recursive: true, force: true });
  }
}

async function runScript<T>(
  interpreter: string,
  { script, input }: { script: string; input: unknown },
): Promise<T> {
  const stdout = await execute(interpreter, ['-s', '-B', script], {
    input: stringifyJson(input),
    timeout_ms: SCRIPT_MS,
  });
  return parseJson(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}

function execute(
  file: string,
  args: readonly string[],
  { input = '', timeout_ms }: { input?: string; timeout_ms: number },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  // What the user set for other programs (PYTHONPATH, PYTHONHOME) is not for these packages.
  const inherited = Object.entries(process.env).filter(([name]) => !/^PY(THON|ICEBERG_)/.test(name));
  const env = { ...Object.fromEntries(inherited), PYTHONUTF8: '1' };
  const options = { timeout: timeout_ms, maxBuffer: 256e6, env, encoding: 'utf8' as const };
  const child = execFile(file, args, options, (error, stdout, stderr) => {
    if (error === null) resolve(stdout);
    else
      reject(
        new Error(
          `${file} failed${error.killed ? ` after ${timeout_ms} ms` : ''}: ${stderr || error.message}`,
        ),
      );
  });
  // A script that ends before it has read everything says why on stderr.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  return promise;
}

const pythonOf = (folder: string): string => join(folder, 'bin', 'python');

const hash = (of: unknown): string =>
  createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 16);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trimEnd().split('\n').at(-1) ?? '';
