/** What containers are told must be options and commands of the program, or it would start with its defaults. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { resourcesOf } from '../../infra/deploy/plan-file.ts';
import { COMMAND_NAMES, configurationPage } from '../../src/config/config.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

/** From the pages that are made of the program's own tables, for a test imports interfaces only. */
const OPTIONS = [...configurationPage().matchAll(/^\| environment \| `(LAKEWARD_\w+)`/gm)].map(
  ([, name]) => name,
);
const ROLES = /ROLE {2}The roles to run;.*?One of: ([^.]+)\./s
  .exec(readFileSync(join(PROJECT, 'docs/reference/cli.md'), 'utf8'))![1]!
  .split(/,\s+/);

interface Container {
  name: string;
  command: string[];
  environment: { name: string; value: string }[];
  healthCheck?: { command: string[] };
  user: string;
  mountPoints: { containerPath: string }[];
}

describeWithTerraform(await findTerraform(), 'containers', () => {
  let containers: Container[];

  beforeAll(async () => {
    const withTransforms = await planOffline('prod', { transforms: '{ mode = "SERVICE" }' });
    const plans = [withTransforms, await planOffline('dev')];
    containers = plans.flatMap((plan) =>
      resourcesOf(plan)
        .filter(({ type }) => type === 'aws_ecs_task_definition')
        .flatMap(({ values }) => JSON.parse(String(values['container_definitions'])) as Container[]),
    );
    expect(containers.length).toBe(5);
  });

  test('are told options that the program has', () => {
    expect(OPTIONS.length).toBeGreaterThan(30);
    const told = containers.flatMap(({ environment }) => environment.map(({ name }) => name));
    expect(new Set(told).size).toBeGreaterThan(8);
    expect(told.filter((name) => !OPTIONS.includes(name))).toEqual([]);
  });

  test('of transforms are told the folder where an image made from ours has them', () => {
    const folders = containers
      .filter(({ command }) => command.includes('transforms'))
      .map(({ environment }) => environment.find(({ name }) => name === 'LAKEWARD_TRANSFORMS_DIR')?.value);
    const dockerfile = readFileSync(join(PROJECT, 'Dockerfile'), 'utf8');
    const [, inImage] = /^ +LAKEWARD_TRANSFORMS_DIR=(\S+)/m.exec(dockerfile)!;
    expect(folders).toEqual([inImage]);
    const ofUser = readFileSync(join(PROJECT, 'examples/daily-active/Dockerfile'), 'utf8');
    expect(ofUser).toMatch(new RegExp(`^COPY transforms ${inImage}$`, 'm'));
  });

  test('run roles that the program has', () => {
    const known: readonly string[] = ROLES;
    for (const { command } of containers) {
      expect(command[0]).toBe('run');
      const roles = command.slice(1).filter((word) => !word.startsWith('--'));
      expect(roles.length).toBeGreaterThan(0);
      expect(roles.filter((role) => !known.includes(role))).toEqual([]);
    }
  });

  test('are asked for their health by a command that the program has', () => {
    const asked = containers.flatMap(({ healthCheck: check }) =>
      check === undefined
        ? []
        : [check.command[check.command.findIndex((word) => word.endsWith('/main.js')) + 1]!],
    );
    expect(asked.length).toBeGreaterThan(0);
    const known: readonly string[] = COMMAND_NAMES;
    expect(asked.filter((command) => !known.includes(command))).toEqual([]);
  });

  test('expect of the image what the Dockerfile says', () => {
    const dockerfile = readFileSync(join(PROJECT, 'Dockerfile'), 'utf8');
    const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1];
    const [node, ...rest] = JSON.parse(entrypoint ?? '[]') as string[];
    for (const { user, mountPoints, healthCheck } of containers) {
      expect(dockerfile).toContain(`USER ${user}`);
      expect(dockerfile).toContain(`VOLUME ["${mountPoints[0]!.containerPath}"]`);
      if (healthCheck === undefined) continue;
      expect(healthCheck.command.slice(0, 2)).toEqual(['CMD', node]);
      expect(healthCheck.command).toContain(rest.at(-1));
    }
  });
});
