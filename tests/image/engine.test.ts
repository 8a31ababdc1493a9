import { describe, expect, it } from 'vitest';
import { findEngine, type Machine } from '../../infra/image/engine.ts';

/** A machine on which only these programs are there and answer. */
function machine(answering: readonly string[], { root = true, broken = 0 } = {}) {
  const asked: string[] = [];
  const there = new Set(answering);
  let failures = broken;
  const fake: Machine = {
    root,
    succeeds: async (program) => there.has(program),
    async apt(args) {
      asked.push(args.join(' '));
      if (args[0] === 'install' && failures-- > 0) throw new Error('E: Unable to locate package\nbuildah');
    },
  };
  return { fake, asked };
}

describe('the engine that builds the image', () => {
  it('is docker, then podman, when they answer; then buildah', async () => {
    expect(await findEngine(machine(['docker', 'podman', 'buildah', 'mmdebstrap']).fake)).toBe('docker');
    expect(await findEngine(machine(['podman', 'buildah', 'mmdebstrap']).fake)).toBe('podman');
    const { fake, asked } = machine(['buildah', 'mmdebstrap', 'apt-get']);
    expect(await findEngine(fake)).toBe('buildah');
    expect(asked).toEqual([]);
  });

  it('is installed as root where apt-get is there, only what is missing, and with new lists if the old ones fail', async () => {
    const { fake, asked } = machine(['mmdebstrap', 'apt-get'], { broken: 1 });
    expect(await findEngine(fake)).toBe('buildah');
    const install = 'install -y --no-install-recommends buildah';
    expect(asked).toEqual([install, 'update', install]);
  });

  it('is asked for in four lines when it cannot be had, and nothing is tried without root', async () => {
    const unprivileged = machine(['apt-get'], { root: false });
    const offline = machine(['apt-get'], { broken: 2 });
    for (const { fake } of [unprivileged, offline, machine([])]) {
      const refused = await findEngine(fake).catch((error: Error) => error.message);
      expect(refused).toMatch(/^make image: .*\n {2}why {3}.*\n {2}fix {3}.*\n {2}read {2}docs\/.*$/);
    }
    expect(unprivileged.asked).toEqual([]);
  });
});
