/**
 * What holds for everything that prod would be made of, read from its plan. What is general is checkov's
 * (tests/infra/checkov.test.ts); here is what it lacks, or what it cannot see before a key has an ARN.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import {
  type ConfiguredModule,
  type Plan,
  type PlannedResource,
  resourcesOf,
} from '../../infra/deploy/plan-file.ts';
import { headingAnchors } from '../structure/markdown.ts';
import { documentsOf, statementsOf, wildcardsOf } from './policies.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

/** Where a wildcard stands, and its reason. One that no policy has any more must go from here. */
const WILDCARDS: readonly { pattern: RegExp; why: string }[] = [
  {
    pattern: /aws_kms_key\.this Action kms:(\*|(Encrypt|Decrypt|ReEncrypt|GenerateDataKey|Describe)\*)$/,
    why: 'a key policy must leave the account its rights; the rest is as AWS documents it for log groups',
  },
  { pattern: /aws_kms_key\.this Resource \*$/, why: 'in a key policy it means this key' },
  {
    pattern: /Resource arn:aws:kms:eu-west-1:333333333333:key\/\*$/,
    why: 'bound to the alias by a condition, which a test of its own holds',
  },
  { pattern: /\["execution"\] Resource \*$/, why: 'ecr:GetAuthorizationToken knows no resource' },
  {
    pattern: /iam_policy\.this\["\w+"\] Resource arn:aws:s3:::[\w-]+\/lake\/\*$/,
    why: 'objects of the lake',
  },
  { pattern: /Resource arn:aws:glue:\S+:table\/lakeward_prod\/\*$/, why: 'tables of the one database' },
  {
    pattern: /Resource arn:aws:logs:\S+:log-group:\/lakeward-prod\/\w+(:log-stream)?:\*$/,
    why: 'streams of the one group',
  },
  {
    pattern: /\["scheduler"\] Resource arn:aws:ecs:\S+:task-definition\/lakeward-prod-\*$/,
    why: 'revisions, in the one cluster',
  },
  {
    pattern: /aws_vpc_endpoint\.interface\["[\w.-]+"\] (Action|Resource) \*$/,
    why: 'an endpoint adds no right; its condition keeps others out',
  },
  {
    pattern: /aws_vpc_endpoint\.s3 Resource arn:aws:s3:::[\w-]+\/\*$/,
    why: 'objects of named buckets',
  },
];

/** What keeps anything, and the attribute that says by which key. */
const ENCRYPTED: Readonly<Record<string, string>> = {
  aws_kinesis_stream: 'kms_key_id',
  aws_cloudwatch_log_group: 'kms_key_id',
  aws_sns_topic: 'kms_master_key_id',
  aws_s3_bucket_server_side_encryption_configuration: 'rule',
  aws_ecr_repository: 'encryption_configuration',
};

const FROM_OUTSIDE = ['aws_internet_gateway', 'aws_nat_gateway', 'aws_eip', 'aws_lb', 'aws_s3_bucket_acl'];

describeWithTerraform(await findTerraform(), 'the plan of prod', () => {
  let plan: Plan;
  let resources: PlannedResource[];
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const all = (type: string, attribute: string) => ofType(type).map(({ values }) => values[attribute]);

  beforeAll(async () => {
    plan = await planOffline('prod');
    resources = resourcesOf(plan);
  });

  test('makes every part of a deployment', () => {
    const modules = new Set(resources.map(({ address }) => /^module\.(\w+)/.exec(address)?.[1]));
    const parts = ['kms', 'stream', 'lake_bucket', 'catalog', 'network', 'registry', 'cluster', 'iam'];
    expect([...modules]).toEqual(expect.arrayContaining([...parts, 'processor', 'staging', 'observability']));
  });

  test('has as many resources as the page on deploying shows', () => {
    const page = readFileSync(join(PROJECT, 'docs/how-to/deploy.md'), 'utf8');
    expect(page).toContain(`Plan: ${resources.length} to add, 0 to change, 0 to destroy.`);
  });

  test('tags everything that can be tagged', () => {
    const taggable = resources.filter(({ values }) => 'tags_all' in values);
    expect(taggable.length).toBeGreaterThan(20);
    const wanted = { Application: 'lakeward', Environment: 'prod', ManagedBy: 'terraform' };
    for (const { address, values } of taggable)
      expect(values['tags_all'], address).toMatchObject({ ...wanted, CostCentre: expect.any(String) });
  });

  test('shows every policy whole, so that it can be judged before it exists', () => {
    const policies = resources.filter(({ type }) => /^aws_iam_(policy|role_policy)$/.test(type));
    expect(policies.length).toBeGreaterThan(6);
    const hidden = policies.filter(({ values }) => typeof values['policy'] !== 'string');
    expect(hidden.map(({ address }) => address)).toEqual([]);
  });

  test('allows no wildcard but where there is a reason', () => {
    const found = documentsOf(resources).flatMap(({ address, document }) =>
      wildcardsOf(document).map((wildcard) => `${address} ${wildcard}`),
    );
    expect(found.filter((each) => !WILDCARDS.some(({ pattern }) => pattern.test(each)))).toEqual([]);
    const unused = WILDCARDS.filter(({ pattern }) => !found.some((each) => pattern.test(each)));
    expect(unused.map(({ pattern }) => pattern.source)).toEqual([]);
  });

  test('grants keys only by alias, and for the service that uses them', () => {
    const granting = documentsOf(resources).flatMap(({ address, document }) =>
      statementsOf(document)
        .filter(({ Action, Resource }) => /kms:/.test(String(Action)) && /:key\/\*/.test(String(Resource)))
        .map(({ Condition }) => ({ address, condition: JSON.stringify(Condition) })),
    );
    expect(granting.length).toBeGreaterThan(4);
    for (const { address, condition } of granting) {
      expect(condition, address).toContain('"kms:ResourceAliases":"alias/lakeward-prod"');
      expect(condition, address).toContain('"kms:ViaService"');
    }
  });

  test('trusts services only, and only for this account', () => {
    const roles = ofType('aws_iam_role');
    expect(roles.length).toBeGreaterThan(4);
    for (const { address, values } of roles)
      for (const { Principal, Condition } of statementsOf(JSON.parse(String(values['assume_role_policy'])))) {
        expect(Object.keys(Principal as object), address).toEqual(['Service']);
        expect(JSON.stringify(Condition), address).toContain('"aws:SourceAccount":"333333333333"');
      }
  });

  test('encrypts with its own key all that keeps anything', () => {
    const configured = configuredResources(plan.configuration.root_module);
    for (const [type, attribute] of Object.entries(ENCRYPTED)) {
      const some = configured.filter((each) => each.type === type);
      expect(some.length, type).toBeGreaterThan(0);
      for (const { address, expressions } of some)
        expect(JSON.stringify(expressions[attribute]), address).toContain('"var.kms_key_arn"');
    }
  });

  test('is reached by nobody from outside', () => {
    const open = resources.filter(({ type }) => FROM_OUTSIDE.includes(type));
    expect(open.map(({ address }) => address)).toEqual([]);
    expect(new Set(all('aws_subnet', 'map_public_ip_on_launch'))).toEqual(new Set([false]));
    expect(all('aws_ecs_service', 'network_configuration')).toMatchObject([
      [{ assign_public_ip: false }],
      [{ assign_public_ip: false }],
    ]);
    expect(all('aws_vpc_security_group_ingress_rule', 'cidr_ipv4')).toEqual([null]);
    expect(all('aws_vpc_security_group_ingress_rule', 'cidr_ipv6')).toEqual([null]);
    const blocked = { block_public_acls: true, block_public_policy: true };
    expect(ofType('aws_s3_bucket_public_access_block').map(({ values }) => values)).toMatchObject([
      { ...blocked, ignore_public_acls: true, restrict_public_buckets: true },
    ]);
  });

  test('cannot be deleted by accident', () => {
    expect(all('aws_s3_bucket', 'force_destroy')).toEqual([false]);
    expect(all('aws_ecr_repository', 'force_delete')).toEqual([false]);
    expect(all('aws_kinesis_stream', 'enforce_consumer_deletion')).toEqual([false]);
    expect(all('aws_kms_key', 'deletion_window_in_days')).toEqual([30]);
    const policy = documentsOf(resources).find(({ address }) => address.includes('aws_s3_bucket_policy'));
    expect(statementsOf(policy!.document)).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Action: 's3:DeleteBucket' }),
    );
  });

  test('links every alarm to a section of the runbooks', () => {
    const alarms = all('aws_cloudwatch_metric_alarm', 'alarm_description').map(String);
    expect(alarms.length).toBeGreaterThan(9);
    const page = 'docs/how-to/runbooks.md';
    const anchors = headingAnchors(readFileSync(join(PROJECT, page), 'utf8'));
    const linked = alarms.map((alarm) => /Runbook: (\S+)#(\S+)$/.exec(alarm));
    expect(linked.filter((link) => link?.[1] !== page || !anchors.includes(link[2]!))).toEqual([]);
  });
});

function configuredResources({ resources = [], module_calls: calls = {} }: ConfiguredModule) {
  const here: NonNullable<ConfiguredModule['resources']> = [...resources];
  for (const { module } of Object.values(calls)) here.push(...configuredResources(module));
  return here;
}
