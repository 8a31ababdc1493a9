/**
 * Who builds the image: docker or podman where one answers, else buildah, which needs no daemon and no registry of
 * images. Where buildah is missing and apt-get may be used, it is installed; everywhere else that is said, not done.
 */
import { runProgram, succeeds } from './programs.ts';

export type Engine = 'docker' | 'podman' | 'buildah';

const PACKAGES = ['buildah', 'mmdebstrap'] as const;

export async function findEngine(): Promise<Engine> {
  for (const engine of ['docker', 'podman'] as const) if (await succeeds(engine, ['info'])) return engine;
  await haveBuildah();
  return 'buildah';
}

export class NoEngine extends Error {}

/** Throws when they are not there and cannot be had. */
export async function haveBuildah(): Promise<void> {
  const missing: string[] = [];
  for (const name of PACKAGES) if (!(await succeeds(name, ['--version']))) missing.push(name);
  if (missing.length === 0) return;
  const root = process.getuid?.() === 0;
  if (!root || !(await succeeds('apt-get', ['--version']))) throw noEngine(missing);
  await install(missing);
}

async function install(packages: readonly string[]): Promise<void> {
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await runProgram('apt-get', args, { env, quiet: true });
  } catch {
    // Its lists may be from another day, or not there at all.
    await runProgram('apt-get', ['update'], { env, quiet: true });
    await runProgram('apt-get', args, { env, quiet: true });
  }
}

function noEngine(missing: readonly string[]): NoEngine {
  return new NoEngine(
    [
      'make image: nothing here can build an image.',
      `  why   neither docker nor podman answers to info, and ${missing.join(' and ')} cannot be installed without root and apt-get`,
      `  fix   start Docker or Podman, or: sudo apt-get install --no-install-recommends ${PACKAGES.join(' ')}`,
      '  read  docs/how-to/build-the-image.md',
    ].join('\n'),
  );
}
