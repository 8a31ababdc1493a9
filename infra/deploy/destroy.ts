/**
 * `make destroy ENV=local`: takes down what deploy made, and the LocalStack that it started once nothing is deployed in
 * it. On AWS only with APPROVE=yes. Usage: node infra/deploy/destroy.ts ENVIRONMENT (ENDPOINT, NAME, APPROVE as deploy)
 */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from './cache.ts';
import { localFolder, openDeployment, type Target } from './deployment.ts';
import { stopLocalStack } from './localstack.ts';
import { settingsText } from './offline-plan.ts';

const LOCALSTACK = 'localstack';
const [environment = 'local'] = process.argv.slice(2);
const isEmulated = /^endpoint\s*=\s*\{[^}]*emulated\s*=\s*true/m.test(await settingsText(environment));
const named: Target = { environment, name: process.env['NAME'] || undefined };
const begun = performance.now();

if (isEmulated) {
  const endpoint = process.env['ENDPOINT'] || (await endpointOf(named));
  if (endpoint === undefined) console.log(`nothing is deployed: ${localFolder(named)} has no outputs`);
  else await destroyed({ ...named, endpoint });
  await rm(localFolder(named), { recursive: true, force: true });
  const others = (await readdir(join(PROJECT, '.local')).catch(() => [])).filter(
    (name) => name !== LOCALSTACK,
  );
  if (others.length > 0) console.log(`LocalStack stays up for ${others.join(', ')}`);
  else if (await stopLocalStack(join(PROJECT, '.local', LOCALSTACK))) console.log('LocalStack stopped');
  // Only when it is empty.
  await rmdir(join(PROJECT, '.local')).catch(() => {});
} else if (process.env['APPROVE'] === 'yes') await destroyed(named);
else {
  console.log(`this would destroy ${environment} on AWS: say APPROVE=yes`);
  process.exitCode = 2;
}

async function destroyed(target: Target): Promise<void> {
  const deployment = await openDeployment(target);
  try {
    await deployment.destroy();
    const left = await deployment.resources();
    if (left.length > 0) throw new Error(`these are left:\n${left.join('\n')}`);
  } finally {
    await deployment.close();
  }
  console.log(`destroyed ${environment} in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

async function endpointOf(target: Target): Promise<string | undefined> {
  const text = await readFile(join(localFolder(target), 'outputs.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { endpoint: string }).endpoint;
}
