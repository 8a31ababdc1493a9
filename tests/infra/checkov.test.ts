/** checkov's policies over the plan of prod; whatever is left out is left out for a reason that stands here. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { run } from '../../infra/deploy/programs.ts';
import { CHECKOV, pythonEnvironment } from '../../infra/deploy/python-environment.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

const KEY_NOT_YET =
  'the key has no ARN before it exists; tests/infra/plan-of-prod.test.ts holds that each uses it';

/** By check and resource. One that checkov does not find any more must go from here. */
const SKIPS: readonly { check: string; resource: RegExp; why: string }[] = [
  { check: 'CKV_AWS_158', resource: /aws_cloudwatch_log_group/, why: KEY_NOT_YET },
  { check: 'CKV_AWS_26', resource: /aws_sns_topic/, why: KEY_NOT_YET },
  { check: 'CKV_AWS_185', resource: /aws_kinesis_stream/, why: KEY_NOT_YET },
  {
    check: 'CKV_AWS_18',
    resource: /lake_bucket/,
    why: 'a log bucket belongs to the account, not to this application: lake.access_log_bucket names it',
  },
  {
    check: 'CKV_AWS_144',
    resource: /lake_bucket/,
    why: 'a replica lags object by object, so that a table in it is torn, with pointers to files that are not there yet',
  },
  {
    check: 'CKV2_AWS_62',
    resource: /lake_bucket/,
    why: 'nothing waits for single objects: commits name them',
  },
  {
    check: 'CKV2_AWS_5',
    resource: /aws_security_group\.tasks/,
    why: 'it is attached to the services, in another module, where checkov does not look',
  },
];

interface Report {
  summary: { passed: number };
  results: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
}

describeWithTerraform(await findTerraform(), 'checkov', () => {
  test('finds nothing in the plan of prod but what is left out for a reason', async (context) => {
    const checkov = await pythonEnvironment(CHECKOV).catch((error: unknown) => {
      if (process.env['CI']) throw error;
      return context.skip(`no checkov: ${error}`);
    });
    const { summary, results } = await check(join(checkov, 'bin/python'));
    expect(summary.passed).toBeGreaterThan(150);
    const skipOf = (failed: { check_id: string; resource: string }) =>
      SKIPS.find(({ check, resource }) => check === failed.check_id && resource.test(failed.resource));
    const unexplained = results.failed_checks.filter((failed) => skipOf(failed) === undefined);
    expect(unexplained.map((each) => `${each.check_id} ${each.resource} ${each.check_name}`)).toEqual([]);
    const used = new Set(results.failed_checks.map(skipOf));
    expect(SKIPS.filter((skip) => !used.has(skip)).map(({ check }) => check)).toEqual([]);
  });
});

async function check(python: string): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-checkov-'));
  try {
    const file = join(folder, 'plan.json');
    await writeFile(file, JSON.stringify(await planOffline('prod')));
    const args = ['-f', file, '--framework', 'terraform_plan', '--quiet', '--compact', '--skip-download'];
    // By its module: the scripts of an environment know only the folder that it was made in.
    const checkov = ['-m', 'checkov.main', ...args, '-o', 'json'];
    const { stdout, stderr } = await run(python, checkov, { cwd: folder });
    if (!stdout.trimStart().startsWith('{')) throw new Error(`checkov said no JSON: ${stdout}${stderr}`);
    return JSON.parse(stdout) as Report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
