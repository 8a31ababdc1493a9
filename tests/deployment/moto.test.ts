/**
 * Two deployments side by side at one endpoint, which is moto's, the second emulator that deploying is tried on; what
 * their program calls, beside what their policies allow; the same with the policies enforced; and the one without the
 * other.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListBucketsCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outputs } from '../../infra/deploy/deployment.ts';
import { imageProgram } from '../../infra/deploy/image-program.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { resourcesOf } from '../../infra/deploy/plan-file.ts';
import type { Ended } from '../../infra/deploy/programs.ts';
import {
  type Deployed,
  type Environment,
  type Part,
  runAs,
  smokeTest,
  takeRoles,
} from '../../infra/deploy/smoke.ts';
import type { PolicyDocument } from '../infra/policies.ts';
import { describeWithTerraform, findTerraform } from '../infra/provider.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { type Commands, commands, lastLine } from './commands.ts';
import { actionsIn, type MotoPolicies, motoPolicies, without } from './moto-policies.ts';
import { type RecordingProxy, recordCalls } from './recording-proxy.ts';
import { REQUIRED, requiredOf } from './required-actions.ts';

const ANYBODY = { accessKeyId: 'test', secretAccessKey: 'test' };
const PARTS: readonly Part[] = ['producer', 'processor', 'staging', 'transforms', 'reader'];
const USERS: readonly Part[] = ['producer', 'reader'];
const TRANSFORMS = join(import.meta.dirname, '../../examples/daily-active/transforms');

/** Removed one by one from the smoke test. */
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
  ['staging', 's3:PutObject'],
];
/** What the smoke test can do without: removed from a command that cannot, or that is seen to be refused and goes on. */
const NEEDED_ELSEWHERE: readonly [Part, string, 'fails' | 'goes on', string[]][] = [
  ['staging', 's3:DeleteObject', 'fails', ['maintain']],
  ['staging', 's3:ListBucket', 'fails', ['maintain']],
  // To a GET moto says "not there" also to those who may not list; a listing it refuses.
  ['processor', 's3:ListBucket', 'fails', ['status']],
  // What a processor deletes may as well stay until maintenance finds it.
  ['processor', 's3:DeleteObject', 'goes on', ['run', 'processor', '--once']],
  ['reader', 's3:GetObject', 'fails', ['tables']],
  ['reader', 's3:ListBucket', 'fails', ['tables']],
];
/** Each by a test of its own below. */
const OF_UPLOADS: readonly [Part, string][] = [
  ['processor', 's3:AbortMultipartUpload'],
  ['staging', 's3:AbortMultipartUpload'],
];
const OF_OTHER_PRODUCERS: readonly [Part, string][] = [['producer', 'kinesis:PutRecord']];
/** moto encrypts and decrypts without asking KMS: the test below holds that it still does. */
const NOT_ENFORCED = / kms:(Decrypt|GenerateDataKey)$/;
/** Parts of an upload are 5 MiB at least, a request to moto's stream is 5 MiB at most. */
const BIG_EVENTS = 6;
const BIG_REQUESTS = 3;
const BIG_BYTES = 500_000;

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
        const identities: Record<Part, Environment> = { ...taken };
        for (const user of USERS) {
          const { accessKeyId, secretAccessKey } = await policies.makeUser(user);
          const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
          identities[user] = { ...keys, AWS_SESSION_TOKEN: '' };
        }
        where = { endpoint: proxy.endpoint, outputs, program: await imageProgram(), identities };
        for (const part of PARTS) await give(part, granted[part]);
      });
      afterAll(() => proxy?.close());

      const give = (part: Part, policy: PolicyDocument) =>
        USERS.includes(part)
          ? policies.giveUser(part, policy)
          : policies.giveRole(`one-local-${part}`, policy);
      const refusedTo = (part: Part) => proxy.refusedTo(where.identities[part]['AWS_ACCESS_KEY_ID']!);
      /** With policies enforced, and these actions taken out of them. */
      const lacking = async <T>(
        parts: readonly Part[],
        actions: string | string[],
        work: () => Promise<T>,
      ) => {
        for (const part of parts) await give(part, without(granted[part], [actions].flat()));
        try {
          return await enforced(work);
        } finally {
          for (const part of parts) await give(part, granted[part]);
        }
      };
      const enforced = async <T>(action: () => Promise<T>): Promise<T> => {
        proxy.forgetRefusals();
        await policies.enforce();
        try {
          return await action();
        } finally {
          await policies.relax();
        }
      };

      /** Told more than the outputs say. */
      const told = (more: Record<string, string>): Deployed => ({
        ...where,
        outputs: { ...where.outputs, options: { ...(where.outputs['options'] as object), ...more } },
      });

      test('the smoke test passes with exactly the policies, and they are its calls and what is required beside them', async () => {
        await expect(enforced(() => smokeTest(where))).resolves.toContain('1000 in the bucket');
        const deployed = told({ 'transforms.dir': TRANSFORMS });
        const transform = () => runAs('transforms', ['run', 'transforms', '--once'], { deployed, folder });
        await expect(enforced(transform)).resolves.toEqual(expect.any(String));
        const ask = ['sql', '--format', 'json', 'select count(*) as days from marts.daily_active'];
        const [mart] = JSON.parse(await enforced(() => runAs('reader', ask, { deployed, folder })));
        expect(mart.days).toBeGreaterThan(0);
        const plan = resourcesOf(await planOffline('prod', { transforms: '{}' }));
        const allowed = (role: string) => actionsIn(policyOf(plan, role));
        const called = (part: Part) => proxy.actionsOf(where.identities[part]['AWS_ACCESS_KEY_ID']!);
        const needed = (role: string, calls: readonly string[]) =>
          [...new Set([...calls, ...requiredOf(role)])].sort();
        for (const part of PARTS) expect(needed(part, called(part)), part).toEqual(allowed(part));
        // AWS itself is no part of the run.
        for (const role of ['execution', 'scheduler']) expect(needed(role, []), role).toEqual(allowed(role));
      });

      test('every requirement has a role that has a policy', () => {
        const roles = new Set(REQUIRED.flatMap((each) => each.roles));
        expect([...roles].sort()).toEqual(
          ['execution', 'processor', 'producer', 'reader', 'scheduler', 'staging', 'transforms'].sort(),
        );
      });

      test('every action is removed once below, but for those of KMS', () => {
        // Transforms work on tables as staging does, by the same code and the same policy.
        expect(granted.transforms).toEqual(granted.staging);
        const shown = PARTS.filter((part) => part !== 'transforms');
        const all = shown.flatMap((part) => actionsIn(granted[part]).map((action) => `${part} ${action}`));
        const removed = [...NEEDED, ...NEEDED_ELSEWHERE, ...OF_UPLOADS, ...OF_OTHER_PRODUCERS];
        const named = removed.map(([part, action]) => `${part} ${action}`);
        expect(all.filter((each) => !NOT_ENFORCED.test(each)).sort()).toEqual(named.sort());
      });

      test.each(NEEDED)('the %s without %s is denied access', async (part, action) => {
        const tried = lacking([part], action, () => smokeTest(where));
        await expect(tried).rejects.toThrow(/access_?denied/i);
      });

      test.each(NEEDED_ELSEWHERE)(
        'the %s without %s is refused, and %s',
        async (part, action, then, args) => {
          const run = () => runAs(part, args, { deployed: where, folder });
          await expect(enforced(run)).resolves.toEqual(expect.any(String));
          expect(refusedTo(part)).toEqual([]);
          const tried = lacking([part], action, run);
          if (then === 'fails') await expect(tried).rejects.toThrow(/access_denied/);
          else await expect(tried).resolves.toEqual(expect.any(String));
          expect(refusedTo(part)).toEqual([action]);
        },
      );

      test('a producer of others without kinesis:PutRecord cannot put one by one', async () => {
        const event = '{"event_uuid":"one","event_name":"by:itself","created_at":1767225600}';
        const put = () => putOne(where, Buffer.from(event));
        expect(await enforced(put)).toMatch(/^200 .*"ShardId"/);
        expect(await lacking(['producer'], 'kinesis:PutRecord', put)).toMatch(/^403 .*AccessDenied/s);
      });

      test('processor and staging without s3:AbortMultipartUpload leave the parts of an upload that failed', async () => {
        for (let request = 0; request < BIG_REQUESTS; request++) {
          const file = join(folder, 'big.ndjson');
          const events = Array.from({ length: BIG_EVENTS }, (_, at) =>
            JSON.stringify({
              ...{
                event_uuid: `big-${request}-${at}`,
                event_name: 'file:scanned',
                created_at: 1_767_225_600,
              },
              text: randomBytes(BIG_BYTES).toString('base64'),
            }),
          );
          await writeFile(file, events.join('\n'));
          await runAs('producer', ['send', file], { deployed: where, folder });
        }
        const deployed = told({ 'store.partSize': '5MiB' });
        for (const [part, action] of OF_UPLOADS) {
          const run = () => runAs(part, ['run', part, '--once'], { deployed, folder });
          const failing = () => proxy.withoutParts(run);
          await expect(lacking([part], action, failing)).rejects.toThrow('cannot upload part');
          expect(refusedTo(part)).toEqual([action]);
          const left = await uploadsAt(moto.endpoint, where.outputs);
          expect(left).toBeGreaterThan(0);

          await expect(enforced(failing)).rejects.toThrow('cannot upload part');
          expect(refusedTo(part)).toEqual([]);
          expect(await uploadsAt(moto.endpoint, where.outputs)).toBe(left);
          await expect(enforced(run)).resolves.toEqual(expect.any(String));
        }
      });

      test('nobody is denied access without rights on the key: that much moto does not enforce', async () => {
        const keys = ['kms:Decrypt', 'kms:GenerateDataKey'];
        await expect(lacking(PARTS, keys, () => smokeTest(where))).resolves.toContain('1000 in the bucket');
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

/** By hand, as the producer: the SDK's client wants HTTP/2. Of a signature moto reads here whose it is. */
async function putOne({ endpoint, outputs, identities }: Deployed, event: Buffer): Promise<string> {
  const key = identities.producer['AWS_ACCESS_KEY_ID'];
  const scope = `${key}/20260101/${outputs['region']}/kinesis/aws4_request`;
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Kinesis_20131202.PutRecord',
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({
      StreamName: outputs['stream_name'],
      PartitionKey: 'one',
      Data: event.toString('base64'),
    }),
  });
  return `${answer.status} ${await answer.text()}`;
}

/** How many there are in the deployed bucket that neither ended nor were aborted. */
async function uploadsAt(endpoint: string, outputs: Outputs): Promise<number> {
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials: ANYBODY, forcePathStyle: true });
  const Bucket = new URL(String(outputs['lake_url'])).hostname;
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  s3.destroy();
  return Uploads.length;
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
  return Object.fromEntries(PARTS.map((part) => [part, of(part)])) as Record<Part, PolicyDocument>;
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
