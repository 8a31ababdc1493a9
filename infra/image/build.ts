/**
 * `make image`: builds the Dockerfile with what answers on this machine (see engine.ts). docker and podman keep the
 * image under its name; buildah has no daemon to hand it to, so it becomes an OCI archive in dist/.
 * Usage: node infra/image/build.ts
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildWithBuildah, openStorage } from './buildah.ts';
import { type Engine, findEngine, NoEngine } from './engine.ts';
import { ProgramFailed, runProgram } from './programs.ts';

const PROJECT = join(import.meta.dirname, '../..');

try {
  console.log(await image(await findEngine()));
} catch (error) {
  if (!(error instanceof NoEngine || error instanceof ProgramFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function image(engine: Engine): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const labels = [`VERSION=${version}`, `REVISION=${await revision()}`];
  const tag = `lakeward:${version}`;
  if (engine === 'buildah') return archive({ tag, labels, version });
  const given = labels.flatMap((each) => ['--build-arg', each]);
  await runProgram(engine, ['build', '--tag', tag, ...given, PROJECT]);
  return `${tag} (by ${engine})`;
}

async function archive({ tag, labels, version }: { tag: string; labels: string[]; version: string }) {
  const storage = openStorage(await mkdtemp(join(tmpdir(), 'image-')));
  const file = join(PROJECT, 'dist', `lakeward-${version}.oci.tar`);
  try {
    await buildWithBuildah({ storage, project: PROJECT, node: process.execPath, tag, labels });
    await mkdir(join(PROJECT, 'dist'), { recursive: true });
    await rm(file, { force: true });
    await storage.run(['push', '--quiet', `localhost/${tag}`, `oci-archive:${file}:${tag}`]);
  } finally {
    await storage.remove();
  }
  return `${file} (${tag}, by buildah; docker load or podman load takes it)`;
}

function revision(): Promise<string> {
  return runProgram('git', ['-C', PROJECT, 'rev-parse', 'HEAD'], { quiet: true }).then(
    (text) => text.trim(),
    () => 'unknown',
  );
}
