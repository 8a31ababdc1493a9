/**
 * `make deploy ENV=local`. On an emulated endpoint: starts LocalStack when no ENDPOINT is given, applies, and plans
 * again to see that nothing is left to do. On AWS: shows the plan, and applies it when APPROVE=yes says so.
 * Usage: node infra/deploy/deploy.ts ENVIRONMENT (ENDPOINT, NAME and APPROVE in the environment)
 */
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { asCommand } from './as-command.ts';
import {
  ANYBODY,
  type Deployment,
  localFolder,
  localStackFolder,
  openDeployment,
  type Target,
} from './deployment.ts';
import { againstBar } from './duration.ts';
import { explainDrift } from './emulator-drift.ts';
import { imageProgram } from './image-program.ts';
import { startLocalStack } from './localstack.ts';
import { isEmulatedEnvironment } from './offline-plan.ts';
import { type Change, changedAttributes } from './plan-file.ts';
import { planSummary } from './plan-summary.ts';
import { needTerraform } from './providers.ts';
import { smokeTest, takeRoles } from './smoke.ts';

/** On two cores, with everything installed. */
const SECONDS_MAX = 420;
const [environment = 'local'] = process.argv.slice(2);
const begun = performance.now();
let lap = begun;
const again = `the same again goes on where it stopped; make destroy ENV=${environment} takes down what is there`;

await asCommand({ name: 'make deploy', again }, async () => {
  await needTerraform();
  const isEmulated = await isEmulatedEnvironment(environment);
  const target: Target = {
    environment,
    name: process.env['NAME'] || undefined,
    endpoint: isEmulated ? await endpoint() : undefined,
  };
  const deployment = await openDeployment(target);
  try {
    console.log(planSummary(await deployment.plan()));
    told('planned');
    if (!isEmulated && process.env['APPROVE'] !== 'yes')
      console.log('\nnothing was changed: say APPROVE=yes to apply exactly this');
    else await applied(deployment, target);
  } finally {
    await deployment.close();
  }
});

async function endpoint(): Promise<string> {
  const given = process.env['ENDPOINT'];
  if (given) return given;
  const started = await startLocalStack(localStackFolder());
  told(`LocalStack answers at ${started}`);
  return started;
}

async function applied(deployment: Deployment, target: Target): Promise<void> {
  await deployment.apply();
  told('applied');
  const outputs = await deployment.outputs();
  const drift = await deployment.drift();
  const explained = target.endpoint === undefined ? new Map<Change, string>() : explainDrift(drift);
  const unexplained = drift.filter((change) => !explained.has(change));
  told(
    `planned again: ${drift.length === 0 ? 'nothing to change' : `${unexplained.length} changes to explain`}`,
  );
  for (const [why, some] of Map.groupBy(explained.values(), (each) => each))
    console.log(`  ${some.length} differences are the emulator's: ${why}`);
  for (const change of unexplained)
    console.log(`  ${change.change.actions} ${change.address}: ${changedAttributes(change).join(', ')}`);
  if (target.endpoint !== undefined) {
    const file = join(localFolder(target), 'outputs.json');
    await writeFile(file, `${JSON.stringify({ endpoint: target.endpoint, outputs }, null, 2)}\n`);
    console.log(`outputs: ${relative(process.cwd(), file)}`);
    const where = { endpoint: target.endpoint, outputs };
    const program = await imageProgram();
    told('the files of the image are there');
    told(await smokeTest({ ...where, program, identities: await takeRoles(where, ANYBODY) }));
  }
  if (unexplained.length > 0) process.exitCode = 1;
  if (target.endpoint === undefined) console.log(`deployed ${environment} in ${seconds(begun)} s`);
  else {
    const { line, isMissed } = againstBar(`deployed ${environment}`, { begun, most_s: SECONDS_MAX });
    console.log(line);
    if (isMissed) process.exitCode = 1;
  }
}

function told(text: string): void {
  console.log(`${text} (${seconds(lap)} s)`);
  lap = performance.now();
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
