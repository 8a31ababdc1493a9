/**
 * Who builds the image: docker or podman where one answers, else buildah, which needs no daemon and no registry of
 * images. Where buildah is missing and apt-get may be used, it is installed; everywhere else that is said, not done.
 */
import { runProgram, succeeds } from './programs.ts';

export type Engine = 'docker' | 'podman' | 'buildah';

/** What is asked of the machine. */
export interface Machine {
  root: boolean;
  succeeds(program: string, args: readonly string[]): Promise<boolean>;
  apt(args: readonly string[]): Promise<unknown>;
}

const PACKAGES = ['buildah', 'mmdebstrap'] as const;

const thisMachine: Machine = {
  root: process.getuid?.() === 0,
  succeeds,
  apt: (args) => runProgram('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' }, quiet: true }),
};

export async function findEngine(machine: Machine = thisMachine): Promise<Engine> {
  for (const engine of ['docker', 'podman'] as const)
    if (await machine.succeeds(engine, ['info'])) return engine;
  await haveBuildah(machine);
  return 'buildah';
}

export class NoEngine extends Error {}

/** Throws when they are not there and cannot be had. */
export async function haveBuildah(machine: Machine = thisMachine): Promise<void> {
  const missing: string[] = [];
  for (const name of PACKAGES) if (!(await machine.succeeds(name, ['--version']))) missing.push(name);
  if (missing.length === 0) return;
  const apt = machine.root && (await machine.succeeds('apt-get', ['--version']));
  if (!apt) throw noEngine(`${missing.join(' and ')} cannot be installed without root and apt-get`);
  const args = ['install', '-y', '--no-install-recommends', ...missing];
  try {
    // Its lists may be from another day, or not there at all: then once more, with new ones.
    await machine.apt(args).catch(() => machine.apt(['update']).then(() => machine.apt(args)));
  } catch (error) {
    throw noEngine((error as Error).message.replaceAll('\n', ' '));
  }
}

function noEngine(why: string): NoEngine {
  return new NoEngine(
    [
      'make image: nothing here can build an image.',
      `  why   neither docker nor podman answers to info, and ${why}`,
      `  fix   start Docker or Podman, or: sudo apt-get install --no-install-recommends ${PACKAGES.join(' ')}`,
      '  read  docs/how-to/build-the-image.md',
    ].join('\n'),
  );
}
