/** Every Terraform module by its own tests: plans by the real provider, offline, and applies by a mocked one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { modulePaths } from '../../infra/deploy/module-tables.ts';
import { run } from '../../infra/deploy/programs.ts';
import { workingCopy } from '../../infra/deploy/working-copy.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

const modules = (await modulePaths()).filter((path) => path.includes('/modules/'));

test('every module has tests', () => {
  expect(modules.filter((path) => !existsSync(join(PROJECT, path, 'tests')))).toEqual([]);
});

describeWithTerraform(await findTerraform(), 'terraform test', (providers) => {
  test.each(modules)('passes in %s', async (path) => {
    const inside = path.replace('infra/terraform/', '');
    const { folder, env } = await workingCopy(inside, providers);
    const { code, stdout, stderr } = await run(
      'terraform',
      [`-chdir=${join(folder, inside)}`, 'test', '-no-color'],
      { env },
    );
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toMatch(/Success! [1-9]\d* passed, 0 failed/);
  });
});
