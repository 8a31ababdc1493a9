/**
 * A plan of an environment as if nothing of it existed, made without asking AWS anything: for reading, and for the
 * policy tests. Credentials need not exist.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

export async function planOffline(
  environment: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Plan> {
  const { folder, env } = await workingCopy('lakeward', await findProviders());
  const temporary = await mkdtemp(join(tmpdir(), 'lakeward-plan-'));
  try {
    const root = `-chdir=${join(folder, 'lakeward')}`;
    const options = { env: { ...env, ...NOBODY } };
    const file = join(temporary, 'plan');
    const given = Object.entries({ ...variables, offline: 'true' }).flatMap(([name, value]) => [
      '-var',
      `${name}=${value}`,
    ]);
    const settings = `-var-file=${join(PROJECT, 'infra/terraform/environments', environment, 'terraform.tfvars')}`;
    const state = `-state=${join(temporary, 'none.tfstate')}`;
    await runWell(
      'terraform',
      [root, 'plan', '-input=false', '-no-color', '-lock=false', state, settings, ...given, `-out=${file}`],
      options,
    );
    return JSON.parse(await runWell('terraform', [root, 'show', '-json', file], options)) as Plan;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The names of the environments, from their folders. */
export async function settingsText(environment: string): Promise<string> {
  return readFile(
    join(PROJECT, 'infra/terraform/environments', environment, 'terraform.tfvars'),
    'utf8',
  ).catch(() => {
    throw new Error(`there is no environment ${environment}: look into infra/terraform/environments`);
  });
}
