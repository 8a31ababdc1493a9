/** Every call to Kinesis that the program can make is in the policy of the one who makes it, or stands here with the reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { resourcesOf } from '../../infra/deploy/plan-file.ts';
import { actionsIn } from '../deployment/moto-policies.ts';
import type { PolicyDocument } from './policies.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

const NOBODYS: Readonly<Record<string, string>> = {
  CreateStream: 'only of the embedded stream, by its own folder; a stream on AWS is Terraform’s',
  RegisterStreamConsumer: 'Terraform registers the consumer, so that destroying removes it',
};

/** `client.call('ListShards', …)` and its like. */
function operationsCalled(): string[] {
  const folder = join(PROJECT, 'src/stream');
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const calls = files.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(
      /(?:\.call|\.reply|#post|#headersOf)(?:<[^>]*>)?\(\s*'([A-Z]\w+)'/g,
    ),
  ]);
  return [...new Set(calls.map(([, operation]) => operation!))].sort();
}

describeWithTerraform(await findTerraform(), 'calls to Kinesis', () => {
  test('with enhanced fan-out are what processor and producer may do, and what is left has its reason', async () => {
    const stream = '{ shards = 2, fan_out_consumer = "lakeward" }';
    const resources = resourcesOf(await planOffline('prod', { stream }));
    const actionsOf = (role: string) => {
      const policy = resources.find(({ address }) => address === `module.iam.aws_iam_policy.this["${role}"]`);
      return actionsIn(JSON.parse(String(policy!.values['policy'])) as PolicyDocument);
    };
    const called = operationsCalled();
    expect(called).toEqual(expect.arrayContaining(['GetRecords', 'PutRecords', 'SubscribeToShard']));
    const allowed = [...actionsOf('processor'), ...actionsOf('producer')];
    const left = called.filter((operation) => !allowed.includes(`kinesis:${operation}`));
    expect(left).toEqual(Object.keys(NOBODYS));
    // And nothing beside them; producers of others put one by one.
    const calls = [...called.map((operation) => `kinesis:${operation}`), 'kinesis:PutRecord'];
    expect(allowed.filter((action) => action.startsWith('kinesis:') && !calls.includes(action))).toEqual([]);

    const of = (type: string) => resources.filter((resource) => resource.type === type);
    expect(of('aws_kinesis_stream_consumer').map(({ values }) => values['name'])).toEqual(['lakeward']);
    const told = of('aws_ecs_task_definition').map(({ values }) => String(values['container_definitions']));
    expect(
      told.filter((text) => text.includes('{"name":"LAKEWARD_STREAM_FAN_OUT","value":"lakeward"}')),
    ).toHaveLength(1);
    // GetRecords says nothing of what is pushed: whoever watches or scales by it would be blind.
    const watched = of('aws_cloudwatch_metric_alarm').map(({ values }) => values['metric_name']);
    expect(watched).not.toContain('GetRecords.IteratorAgeMilliseconds');
    expect(watched.filter((metric) => metric === 'SubscribeToShardEvent.MillisBehindLatest')).toHaveLength(4);
  });
});
