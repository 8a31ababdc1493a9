/**
 * Where Terraform takes the AWS provider from: what the user's own CLI configuration says, else a mirror of this
 * machine, else the public registry. The provider is 700 MB: it is never copied, only linked from there.
 */
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Stopped } from './as-command.ts';
import { cacheFolder } from './cache.ts';
import { run } from './programs.ts';

const AWS = 'registry.terraform.io/hashicorp/aws';
/** Folders whose children may be mirrors; Terraform's own places first. */
const PARENTS = [
  join(homedir(), '.terraform.d'),
  '/usr/local/share/terraform',
  '/usr/share/terraform',
  '/opt',
];

export interface Providers {
  /** For people: where the provider comes from. */
  from: string;
  /** What Terraform's process needs to be told. */
  env: Readonly<Record<string, string>>;
}

/** What is missing on this machine for any Terraform at all; undefined when it is there. */
export async function terraformMissing(): Promise<string | undefined> {
  const answer = await run('terraform', ['version', '-json'], { env: { TF_CLI_CONFIG_FILE: '' } }).catch(
    () => undefined,
  );
  if (answer === undefined) return 'no terraform on the PATH';
  const { terraform_version: version } = JSON.parse(answer.stdout) as { terraform_version: string };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 1 && minor >= 11 ? undefined : `terraform ${version} is not 1.11 or a newer 1.x`;
}

export async function needTerraform(): Promise<void> {
  const missing = await terraformMissing();
  if (missing === undefined) return;
  throw new Stopped('no Terraform', { why: missing, fix: 'install Terraform 1.11 or a newer 1.x' });
}

export async function findProviders(): Promise<Providers> {
  const configured = process.env['TF_CLI_CONFIG_FILE'];
  if (configured && (await exists(configured)))
    return { from: `as ${configured} says`, env: { TF_CLI_CONFIG_FILE: configured } };
  const mirror = await findMirror();
  if (mirror !== undefined) return { from: mirror, env: { TF_CLI_CONFIG_FILE: await configOf(mirror) } };
  const downloads = cacheFolder('providers');
  await mkdir(downloads, { recursive: true });
  return {
    from: 'registry.terraform.io',
    env: { TF_CLI_CONFIG_FILE: '', TF_PLUGIN_CACHE_DIR: downloads },
  };
}

async function findMirror(): Promise<string | undefined> {
  const named = process.env['LAKEWARD_TF_MIRROR'];
  if (named) {
    if (await exists(join(named, AWS))) return named;
    throw new Stopped('no provider in the mirror', {
      why: `LAKEWARD_TF_MIRROR names ${named}, which has no ${AWS}`,
      fix: 'name the folder that holds registry.terraform.io, or unset it',
    });
  }
  for (const parent of PARENTS)
    for (const child of await readdir(parent).catch(() => []))
      if (await exists(join(parent, child, AWS))) return join(parent, child);
  return undefined;
}

async function configOf(mirror: string): Promise<string> {
  const file = cacheFolder('mirror.tfrc');
  await mkdir(cacheFolder(), { recursive: true });
  await writeFile(
    file,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`,
  );
  return file;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
