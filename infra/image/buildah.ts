/**
 * The image by buildah with chroot isolation, in a storage folder that is this build's own: no daemon, no registry of
 * images, nothing of the user's storage touched. The base is made from Debian's packages, kept as one archive.
 */
import { access, mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { runProgram } from './programs.ts';

/** What libduckdb and Node need; the rest of Debian stays out. There is no shell among them. */
const BASE_PACKAGES = 'libc6,libstdc++6,ca-certificates,tzdata';
/** The Debian of the default BASE in the Dockerfile. */
const SUITE = 'bookworm';
const BASE_AGE_MS_MAX = 7 * 86_400_000;
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

export interface Storage {
  /** Runs buildah in this storage; its stdout. */
  run(args: readonly string[]): Promise<string>;
  /** Removes the folder, and all that was built in it. */
  remove(): Promise<void>;
}

export function openStorage(folder: string, { quiet = false }: { quiet?: boolean } = {}): Storage {
  const where = [
    '--storage-driver',
    'vfs',
    '--root',
    join(folder, 'storage'),
    '--runroot',
    join(folder, 'run'),
  ];
  const env = { STORAGE_DRIVER: 'vfs', BUILDAH_ISOLATION: 'chroot', TMPDIR: folder };
  return {
    run: (args) => runProgram('buildah', [...where, ...args], { env, quiet }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface ImageBuild {
  storage: Storage;
  /** The folder with the Dockerfile. */
  project: string;
  /** The Node whose binary goes into the image. */
  node: string;
  tag: string;
  labels: readonly string[];
}

export async function buildWithBuildah({ storage, project, node, tag, labels }: ImageBuild): Promise<void> {
  await makeBases(storage, { node, npm: await npmFolder() });
  const bases = ['BASE=localhost/lakeward-base', 'BUILD=localhost/lakeward-build'];
  const given = [...bases, ...labels].flatMap((each) => ['--build-arg', each]);
  await storage.run([
    ...['bud', '--layers=false', '--format=docker', '--tag', tag, ...given],
    ...(await ofThisMachine()),
    project,
  ]);
}

/** The bare base, and the same with Node and npm. */
async function makeBases(storage: Storage, { node, npm }: { node: string; npm: string }): Promise<void> {
  await commit(storage, 'scratch', 'localhost/lakeward-base', [['add', await baseArchive(), '/']]);
  await commit(storage, 'localhost/lakeward-base', 'localhost/lakeward-build', [
    ['copy', node, '/usr/local/bin/node'],
    ['copy', npm, '/usr/local/lib/node_modules/npm'],
  ]);
}

async function commit(
  storage: Storage,
  from: string,
  image: string,
  steps: readonly (readonly [string, ...string[]])[],
): Promise<void> {
  const container = (await storage.run(['from', '--pull-never', from])).trim();
  for (const [step, ...rest] of steps) await storage.run([step, '--quiet', container, ...rest]);
  await storage.run(['config', '--env', 'PATH=/usr/local/bin:/usr/bin:/bin', container]);
  await storage.run(['commit', '--quiet', '--rm', container, image]);
}

/** Registry settings, certificates and what npm has loaded before: there while a step runs, and not in the image. */
async function ofThisMachine(): Promise<string[]> {
  const cache = (await runProgram('npm', ['config', 'get', 'cache'], { quiet: true })).trim();
  await mkdir(cache, { recursive: true });
  const args = ['--volume', `${cache}:/root/.npm`];
  const settings = (await runProgram('npm', ['config', 'get', 'userconfig'], { quiet: true })).trim();
  if (await exists(settings)) args.push('--volume', `${settings}:/root/.npmrc:ro`);
  if (await exists(CERTIFICATES)) {
    args.push('--volume', `${dirname(CERTIFICATES)}:${dirname(CERTIFICATES)}:ro`);
    args.push('--build-arg', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`);
  }
  return args;
}

/** Where the npm on the path lies; `npm prefix -g` goes by the Node that runs it, which may be another one's. */
export async function npmFolder(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const script = await realpath(join(folder, 'npm')).catch(() => '');
    if (script.endsWith(join('npm', 'bin', 'npm-cli.js'))) return dirname(dirname(script));
  }
  throw new Error('no npm on the path that lies in a folder of its own (bin/npm-cli.js inside of npm)');
}

/** Made once a week, so that what Debian mends comes in. */
async function baseArchive(): Promise<string> {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lakeward-image');
  const archive = join(folder, `${SUITE}-${process.arch}.tar`);
  const made_ms = (await stat(archive).catch(() => undefined))?.mtimeMs ?? 0;
  if (Date.now() - made_ms < BASE_AGE_MS_MAX) return archive;
  await mkdir(folder, { recursive: true });
  const half = join(folder, `.${crypto.randomUUID()}.tar`);
  try {
    const include = `--include=${BASE_PACKAGES}`;
    await runProgram('mmdebstrap', ['--variant=extract', include, SUITE, half], { quiet: true });
    await rename(half, archive);
  } finally {
    await rm(half, { force: true });
  }
  return archive;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
