/**
 * `make destroy ENV=local`: takes down what deploy made, and the LocalStack that it started once nothing is deployed in
 * it. On AWS only with APPROVE=yes. Usage: node infra/deploy/destroy.ts ENVIRONMENT (ENDPOINT, NAME, APPROVE as deploy)
 */
import { rm, rmdir } from 'node:fs/promises';
import { asCommand, Stopped } from './as-command.ts';
import {
  endpointOf,
  localDeployments,
  localFolder,
  localRoot,
  localStackFolder,
  openDeployment,
  type Target,
} from './deployment.ts';
import { againstBar } from './duration.ts';
import { isStopped, stopLocalStack } from './localstack.ts';
import { isEmulatedEnvironment } from './offline-plan.ts';
import { needTerraform } from './providers.ts';

/** On two cores, with everything installed. */
const SECONDS_MAX = 180;
const [environment = 'local'] = process.argv.slice(2);
const named: Target = { environment, name: process.env['NAME'] || undefined };
const begun = performance.now();
const again = 'mend what is named, and say the same again: it goes on where it stopped';

await asCommand({ name: 'make destroy', again }, async () => {
  await needTerraform();
  if (await isEmulatedEnvironment(environment)) {
    const endpoint = process.env['ENDPOINT'] || (await endpointOf(named));
    if (endpoint === undefined) console.log(`nothing is deployed: ${localFolder(named)} is not there`);
    else if (await isStopped(localStackFolder(), endpoint))
      console.log('the LocalStack that it was in has ended, and took it along');
    else await destroyed({ ...named, endpoint });
    await rm(localFolder(named), { recursive: true, force: true });
    const others = await localDeployments();
    if (others.length > 0) console.log(`what runs here stays up for ${others.join(', ')}`);
    else if (await stopLocalStack(localStackFolder())) console.log('LocalStack stopped');
    // Only when it is empty.
    await rmdir(localRoot()).catch(() => {});
    if (endpoint !== undefined) {
      const { line, isMissed } = againstBar(`destroyed ${environment}, nothing left`, {
        begun,
        most_s: SECONDS_MAX,
      });
      console.log(line);
      if (isMissed) process.exitCode = 1;
    }
  } else if (process.env['APPROVE'] === 'yes') {
    await destroyed(named);
    console.log(`destroyed ${environment}`);
  } else {
    console.log(`this would destroy ${environment} on AWS: say APPROVE=yes`);
    process.exitCode = 2;
  }
});

async function destroyed(target: Target): Promise<void> {
  const deployment = await openDeployment(target);
  try {
    await deployment.destroy();
    const left = await deployment.resources();
    if (left.length > 0)
      throw new Stopped('something is left', {
        why: 'Terraform still has it in its state',
        said: left.join('\n'),
      });
  } finally {
    await deployment.close();
  }
}
