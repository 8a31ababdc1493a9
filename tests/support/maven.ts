/** Jars by name from whatever repository this machine's Maven is set up with, in a folder of the user's cache. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cachedFolder, exists, makeWhole } from './cached-folder.ts';

const execute = promisify(execFile);
const DOWNLOAD_MS = 600_000;

type Jars = { jars: readonly string[] } | { missing: string };

/** `group:artifact:version`, without what they depend on. */
export function jarsOf(artifacts: readonly string[]): Promise<Jars> {
  return brought(artifacts, { name: 'maven', bring: copyArtifacts });
}

/** `group:artifact:version` or `group:artifact:version:classifier`, with what they need to run. */
export function jarsWithDependencies(artifacts: readonly string[]): Promise<Jars> {
  return brought(artifacts, { name: 'maven-with-dependencies', bring: copyDependencies });
}

async function brought(
  artifacts: readonly string[],
  { name, bring }: { name: string; bring: (folder: string, artifacts: readonly string[]) => Promise<void> },
): Promise<Jars> {
  const folder = cachedFolder(name, artifacts);
  if (!(await exists(folder))) {
    if (!(await runs('mvn'))) return { missing: 'no mvn to bring jars with' };
    try {
      await makeWhole(folder, (half) => bring(half, artifacts));
    } catch (error) {
      return { missing: `mvn could not bring ${artifacts.join(', ')}: ${firstLine(error)}` };
    }
  }
  return { jars: (await readdir(folder)).sort().map((file) => join(folder, file)) };
}

export const runs = (program: string): Promise<boolean> =>
  execute(program, ['-version']).then(
    () => true,
    () => false,
  );

async function copyArtifacts(folder: string, artifacts: readonly string[]): Promise<void> {
  await mkdir(folder);
  // Where no pom.xml lies above.
  const cwd = await mkdtemp(join(tmpdir(), 'maven-'));
  try {
    for (const artifact of artifacts) {
      const copy = ['dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`];
      await execute('mvn', ['-q', '-B', ...copy], { cwd, timeout: DOWNLOAD_MS });
    }
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function copyDependencies(folder: string, artifacts: readonly string[]): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'maven-'));
  try {
    await writeFile(join(cwd, 'pom.xml'), pomOf(artifacts));
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
    await execute('mvn', ['-q', '-B', ...copy], { cwd, timeout: DOWNLOAD_MS });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version, classifier] = artifact.split(':');
    const elements = [`<groupId>${group}</groupId>`, `<artifactId>${name}</artifactId>`];
    elements.push(`<version>${version}</version>`);
    if (classifier !== undefined) elements.push(`<classifier>${classifier}</classifier>`);
    return `<dependency>${elements.join('')}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>lakeward</groupId><artifactId>tests</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>`;
}

function firstLine(error: unknown): string {
  const { stdout, message } = error as { stdout?: string; message: string };
  return (stdout || message).trim().split('\n')[0] ?? '';
}
