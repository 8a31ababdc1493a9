/**
 * A plan of an environment as if nothing of it existed, made without asking AWS anything: for reading, and for the
 * policy tests. Credentials need not exist.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Stopped } from './as-command.ts';
import { PROJECT } from './cache.ts';
import type { Plan } from './plan-file.ts';
import { runWell } from './programs.ts';
import { findProviders } from './providers.ts';
import { workingCopy } from './working-copy.ts';

const NOBODY = {
  AWS_ACCESS_KEY_ID: 'offline',
  AWS_SECRET_ACCESS_KEY: 'offline',
  AWS_SESSION_TOKEN: '',
  AWS_PROFILE: '',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Made once for the same files and variables: a plan loads a provider of 700 MB. */
export async function planOffline(
  environment: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Plan> {
  const { folder, env } = await workingCopy('lakeward', await findProviders());
  const given = Object.entries({ ...variables, offline: 'true' }).flatMap(([name, value]) => [
    '-var',
    `${name}=${value}`,
  ]);
  const key = createHash('sha256').update(given.join('\0')).digest('hex').slice(0, 16);
  const kept = join(folder, '.plans', `${environment}-${key}.json`);
  const before = await readFile(kept, 'utf8').catch(() => undefined);
  if (before !== undefined) return JSON.parse(before) as Plan;
  const temporary = await mkdtemp(join(tmpdir(), 'lakeward-plan-'));
  try {
    const root = `-chdir=${join(folder, 'lakeward')}`;
    const options = { env: { ...env, ...NOBODY } };
    const file = join(temporary, 'plan');
    const settings = `-var-file=${join(folder, 'environments', environment, 'terraform.tfvars')}`;
    const state = `-state=${join(temporary, 'none.tfstate')}`;
    await runWell(
      'terraform',
      [root, 'plan', '-input=false', '-no-color', '-lock=false', state, settings, ...given, `-out=${file}`],
      options,
    );
    const json = await runWell('terraform', [root, 'show', '-json', file], options);
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(`${kept}.${process.pid}`, json);
    await rename(`${kept}.${process.pid}`, kept);
    return JSON.parse(json) as Plan;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Whether something at an endpoint stands in for AWS there. */
export async function isEmulatedEnvironment(environment: string): Promise<boolean> {
  return /^endpoint\s*=\s*\{[^}]*emulated\s*=\s*true/m.test(await settingsText(environment));
}

/** The variables of an environment; an error when there is none of that name. */
export async function settingsText(environment: string): Promise<string> {
  return readFile(
    join(PROJECT, 'infra/terraform/environments', environment, 'terraform.tfvars'),
    'utf8',
  ).catch(async () => {
    const folder = join(PROJECT, 'infra/terraform/environments');
    throw new Stopped(`there is no environment ${environment}`, {
      why: `it would be a folder in infra/terraform/environments, and there are ${(await readdir(folder)).join(', ')}`,
      fix: 'name one of these: ENV=local',
    });
  });
}
