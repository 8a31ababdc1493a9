/**
 * The image, built by buildah and run without an engine: its root file system is mounted read-only, the program is
 * process 1 of a PID namespace of its own under the image's user, and only the work folder can be written to. Needs
 * root on Linux; the network is this machine's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildWithBuildah, openStorage } from '../../infra/image/buildah.ts';
import { haveBuildah } from '../../infra/image/engine.ts';
import { succeeds } from '../../infra/image/programs.ts';
import type { Ended } from './program.ts';

const PROJECT = join(import.meta.dirname, '../..');
const TAG = 'localhost/lakeward:test';
const MINE = 'localhost/lakeward-of-a-user:test';

export interface ImageConfig {
  User: string;
  Env: string[];
  Entrypoint: string[];
  Cmd: string[];
  Healthcheck: { Test: string[] };
  Labels: Record<string, string>;
  StopSignal: string;
  Volumes: Record<string, unknown>;
}

export interface Container {
  /** Everything it wrote to stderr so far. */
  stderr(): string;
  ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export interface Image {
  config: ImageConfig;
  /** Its files, and those of the base alone, mounted. */
  files: string;
  baseFiles: string;
  /** A work folder as a volume of the image's user would be. */
  workFolder(): Promise<string>;
  /** The image that the Dockerfile of this folder makes FROM it. */
  extended(folder: string): Promise<Pick<Image, 'start'>>;
  /** The image's entry point with these arguments. */
  start(args: readonly string[], options: { work: string; env?: Record<string, string> }): Container;
  /** Another program in it, as `docker exec` would. */
  startProgram(argv: readonly string[], options: { work: string; env?: Record<string, string> }): Container;
  remove(): Promise<void>;
}

/** Why it cannot be built or run here; undefined when it can. */
export async function imageMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  if (!(await succeeds('unshare', ['--mount', '--pid', '--fork', 'true']))) return 'needs unshare';
  return haveBuildah().then(
    () => undefined,
    (error: unknown) => `no buildah and mmdebstrap: ${(error as Error).message.split('\n')[0]}`,
  );
}

export async function buildImage(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'image-test-'));
  const storage = openStorage(join(folder, 'buildah'), { quiet: true });
  await mkdir(join(folder, 'buildah'));
  const labels = ['VERSION=0.0.0', 'REVISION=test'];
  const mounted = async (image: string) => {
    const container = (await storage.run(['from', '--pull-never', image])).trim();
    return { container, files: (await storage.run(['mount', container])).trim() };
  };
  const remove = async () => {
    await storage.remove();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await buildWithBuildah({ storage, project: PROJECT, node: process.execPath, tag: TAG, labels });
    const { container, files } = await mounted(TAG);
    const base = await mounted('localhost/lakeward-base');
    const inspected = JSON.parse(await storage.run(['inspect', '--type', 'container', container])) as {
      Docker: { config: ImageConfig };
    };
    const { config } = inspected.Docker;
    const startProgram: Image['startProgram'] = (argv, { work, env = {} }) =>
      start(argv, { files, work, config, env });
    const extended: Image['extended'] = async (context) => {
      const from = ['--build-arg', `LAKEWARD=${TAG}`, '--tag', MINE];
      await storage.run(['bud', '--pull-never', '--layers=false', '--format=docker', ...from, context]);
      const { files: theirs } = await mounted(MINE);
      return {
        start: (args, { work, env = {} }) =>
          start([...config.Entrypoint, ...args], { files: theirs, work, config, env }),
      };
    };
    return {
      extended,
      config,
      files,
      baseFiles: base.files,
      workFolder: () => makeWorkFolder(folder),
      start: (args, options) => startProgram([...config.Entrypoint, ...args], options),
      startProgram,
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeWorkFolder(folder: string): Promise<string> {
  const work = await mkdtemp(join(folder, 'work-'));
  await chown(work, 65532, 65532);
  return work;
}

/** $1 the image's files, $2 the work folder, $3 where it is mounted, $4 user and group; then the command line. */
const IN_CONTAINER = `set -e
root=$1 work=$2 place=$3 user=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev"
mount --bind "$work" "$root$place"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot --userspec="$user" "$root" "$@"`;

function start(
  argv: readonly string[],
  {
    files,
    work,
    config,
    env,
  }: { files: string; work: string; config: ImageConfig; env: Record<string, string> },
): Container {
  const [place] = Object.keys(config.Volumes) as [string];
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', IN_CONTAINER, 'sh'],
      ...[files, work, place, config.User, ...argv],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...Object.fromEntries(config.Env.map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string])),
        ...env,
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      },
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    stderr: () => stderr,
    ended,
    kill: async (signal) => void process.kill(await firstProcess(child), signal),
  };
}

/** unshare waits for its child, which is process 1 in there; a signal to unshare itself would not reach it. */
async function firstProcess({ pid }: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}
