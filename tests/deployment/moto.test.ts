/**
 * Two deployments side by side at one endpoint, which is moto's, the second emulator that deploying is tried on; what
 * their program calls, beside what their policies allow; the same with the policies enforced; and the one without the
 * other.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageProgram } from '../../infra/deploy/image-program.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { resourcesOf } from '../../infra/deploy/plan-file.ts';
import type { Ended } from '../../infra/deploy/programs.ts';
import { type Deployed, type Part, smokeTest, takeRoles } from '../../infra/deploy/smoke.ts';
import type { PolicyDocument } from '../infra/policies.ts';
import { describeWithTerraform, findTerraform } from '../infra/provider.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { type Commands, commands, lastLine } from './commands.ts';
import { actionsIn, type MotoPolicies, motoPolicies, without } from './moto-policies.ts';
import { type RecordingProxy, recordCalls } from './recording-proxy.ts';
import { REQUIRED, requiredOf } from './required-actions.ts';

const ANYBODY = { accessKeyId: 'test', secretAccessKey: 'test' };
const PARTS: readonly Part[] = ['producer', 'processor', 'staging'];

/** Removed one by one; whatever else a policy allows stands below, with the reason. */
const NEEDED: readonly [Part, string][] = [
  ['producer', 'kinesis:DescribeStreamSummary'],
  ['producer', 'kinesis:PutRecords'],
  ['processor', 'kinesis:DescribeStreamSummary'],
  ['processor', 'kinesis:GetRecords'],
  ['processor', 'kinesis:GetShardIterator'],
  ['processor', 'kinesis:ListShards'],
  ['processor', 's3:GetObject'],
  ['processor', 's3:PutObject'],
  ['staging', 's3:GetObject'],
  ['staging', 's3:ListBucket'],
  ['staging', 's3:PutObject'],
];
const NOT_SHOWN: readonly { pattern: RegExp; why: string }[] = [
  { pattern: / kms:/, why: 'moto encrypts without asking KMS' },
  { pattern: /^producer kinesis:PutRecord$/, why: 'our own producer never puts one by one' },
  { pattern: /^processor s3:ListBucket$/, why: 'moto says "not there" also to those who may not list' },
  { pattern: / s3:AbortMultipartUpload$/, why: 'only an upload that failed is aborted' },
  {
    pattern: / s3:DeleteObject$/,
    why: 'what a short run deletes may as well stay: it is tried, and not insisted on',
  },
];

const python = await pythonWith('moto');
const terraform = await findTerraform();

describeWith(python, 'moto', () => {
  describeWithTerraform(terraform, 'two deployments side by side', () => {
    let folder: string;
    let moto: Moto;
    let make: Commands;
    let deployed: Ended[];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lakeward-deployments-'));
      moto = await startMoto(python, { signatures: 'unchecked' });
      make = commands({ local: join(folder, '.local'), endpoint: moto.endpoint });
      deployed = await Promise.all([make.deploy('one'), make.deploy('two')]);
    });
    afterAll(async () => {
      await moto?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test('are applied, planned again with nothing to change, and pass the smoke test', () => {
      for (const each of deployed) {
        const said = each.stdout + each.stderr;
        expect(said).toMatch(/^planned again: (nothing|0 changes) to (change|explain)/m);
        expect(said).toContain('1000 in the bucket, and verify found nothing');
        expect(lastLine(each), said).toMatch(/^deployed local: [\d.]+ s, at most 420 s wanted$/);
      }
    });

    test('share no resource', async () => {
      const [one, two] = [await identifiers(folder, 'one'), await identifiers(folder, 'two')];
      expect(one.length).toBeGreaterThan(50);
      expect(two).toHaveLength(one.length);
      expect(one.filter((each) => two.includes(each))).toEqual([]);
    });

    describe('least privilege', () => {
      let proxy: RecordingProxy;
      let policies: MotoPolicies;
      let where: Deployed;
      let granted: Record<Part, PolicyDocument>;

      beforeAll(async () => {
        const outputs = await make.outputs('one');
        proxy = await recordCalls(moto.endpoint);
        policies = motoPolicies(moto.endpoint);
        granted = await policiesIn(folder, 'one');
        const taken = await takeRoles({ endpoint: moto.endpoint, outputs }, ANYBODY);
        const { accessKeyId, secretAccessKey } = await policies.makeUser('somebody');
        const producer = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
        where = {
          endpoint: proxy.endpoint,
          outputs,
          program: await imageProgram(),
          identities: { ...taken, producer: { ...producer, AWS_SESSION_TOKEN: '' } },
        };
        for (const part of PARTS) await give(part, granted[part]);
      });
      afterAll(() => proxy?.close());

      const give = (part: Part, policy: PolicyDocument) =>
        part === 'producer'
          ? policies.giveUser('somebody', policy)
          : policies.giveRole(`one-local-${part}`, policy);
      const enforced = async <T>(action: () => Promise<T>): Promise<T> => {
        await policies.enforce();
        try {
          return await action();
        } finally {
          await policies.relax();
        }
      };

      test('the smoke test passes with exactly the policies, and they are its calls and what is required beside them', async () => {
        await expect(enforced(() => smokeTest(where))).resolves.toContain('1000 in the bucket');
        const plan = resourcesOf(await planOffline('prod', { transforms: '{}' }));
        const allowed = (role: string) => actionsIn(policyOf(plan, role));
        const called = (part: Part) => proxy.actionsOf(where.identities[part]['AWS_ACCESS_KEY_ID']!);
        const needed = (role: string, calls: readonly string[]) =>
          [...new Set([...calls, ...requiredOf(role)])].sort();
        for (const part of PARTS) expect(needed(part, called(part)), part).toEqual(allowed(part));
        // Transforms work on tables as staging does, by the same code; readers and AWS itself are no part of the run.
        expect(needed('transforms', called('staging'))).toEqual(allowed('transforms'));
        for (const role of ['reader', 'execution', 'scheduler'])
          expect(needed(role, []), role).toEqual(allowed(role));
      });

      test('every requirement has a role that has a policy', () => {
        const roles = new Set(REQUIRED.flatMap((each) => each.roles));
        expect([...roles].sort()).toEqual(
          ['execution', 'processor', 'producer', 'reader', 'scheduler', 'staging', 'transforms'].sort(),
        );
      });

      test('every action is removed once below, or stands there with the reason why not', () => {
        const all = PARTS.flatMap((part) => actionsIn(granted[part]).map((action) => `${part} ${action}`));
        const removed = NEEDED.map(([part, action]) => `${part} ${action}`);
        expect(removed.filter((each) => !all.includes(each))).toEqual([]);
        const rest = all.filter((each) => !removed.includes(each));
        expect(rest.filter((each) => !NOT_SHOWN.some(({ pattern }) => pattern.test(each)))).toEqual([]);
      });

      test.each(NEEDED)('the %s without %s is denied access', async (part, action) => {
        await give(part, without(granted[part], action));
        try {
          await expect(enforced(() => smokeTest(where))).rejects.toThrow(/access_?denied/i);
        } finally {
          await give(part, granted[part]);
        }
      });
    });

    describe('when one of them is destroyed', () => {
      let destroyed: Ended;
      beforeAll(async () => {
        destroyed = await make.destroy('one');
      });

      test('nothing of it is left, and what runs stays up for the other', async () => {
        expect(destroyed.stdout, destroyed.stderr).toContain('what runs here stays up for local-two');
        expect(lastLine(destroyed)).toMatch(
          /^destroyed local, nothing left: [\d.]+ s, at most 180 s wanted$/,
        );
        expect(await readdir(join(folder, '.local'))).toEqual(['local-two']);
        expect(await bucketsAt(moto.endpoint)).toEqual([expect.stringMatching(/^two-local-lake-/)]);
      });

      test('the other is whole: nothing of it has to be made anew, and its stream, roles and tables work', async () => {
        const again = await make.deploy('two');
        const said = again.stdout + again.stderr;
        expect(said).toMatch(/^Plan: 0 to add, \d to change, 0 to destroy\.$/m);
        // Verified are the events of the first time, too.
        expect(said).toContain('1000 in the bucket, and verify found nothing');
      });

      test('and when that is destroyed as well, nothing at all is left', async () => {
        const { stdout, stderr } = await make.destroy('two');
        expect(stdout, stderr).toContain('destroyed local, nothing left');
        expect(existsSync(join(folder, '.local'))).toBe(false);
        expect(await bucketsAt(moto.endpoint)).toEqual([]);
      });
    });
  });
});

async function bucketsAt(endpoint: string): Promise<string[]> {
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials: ANYBODY, forcePathStyle: true });
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  s3.destroy();
  return Buckets.map(({ Name }) => Name!);
}

/** What identifies each resource in the state of a deployment: ARNs, and ids that are not only its place in another. */
async function identifiers(folder: string, name: string): Promise<string[]> {
  const state = JSON.parse(
    await readFile(join(folder, '.local', `local-${name}`, 'terraform.tfstate'), 'utf8'),
  ) as { resources: { mode: string; instances: { attributes: Record<string, unknown> }[] }[] };
  const all = state.resources
    .filter(({ mode }) => mode === 'managed')
    .flatMap(({ instances }) => instances.flatMap(({ attributes: { arn, id } }) => [arn, id]));
  return [...new Set(all.filter((each): each is string => typeof each === 'string' && each !== ''))];
}

async function policiesIn(folder: string, name: string): Promise<Record<Part, PolicyDocument>> {
  const state = JSON.parse(
    await readFile(join(folder, '.local', `local-${name}`, 'terraform.tfstate'), 'utf8'),
  ) as { resources: { type: string; instances: { index_key?: string; attributes: { policy: string } }[] }[] };
  const found = state.resources
    .filter(({ type }) => type === 'aws_iam_policy')
    .flatMap((each) => each.instances);
  const of = (part: Part) =>
    JSON.parse(found.find(({ index_key }) => index_key === part)!.attributes.policy) as PolicyDocument;
  return { producer: of('producer'), processor: of('processor'), staging: of('staging') };
}

/** `role`: a policy of our own, or a role of the platform, whose policy stands inline. */
function policyOf(plan: ReturnType<typeof resourcesOf>, role: string): PolicyDocument {
  const found = plan.find(
    ({ type, address }) =>
      /^aws_iam_(policy|role_policy)$/.test(type) &&
      address.startsWith('module.iam.') &&
      address.endsWith(`["${role}"]`),
  );
  return JSON.parse(String(found!.values['policy'])) as PolicyDocument;
}
