/** What `make plan` and `make deploy` say of a plan; needs no Terraform. */
import { expect, test } from 'vitest';
import { explainDrift } from '../../infra/deploy/emulator-drift.ts';
import { type Change, changedAttributes, changesOf, type Plan } from '../../infra/deploy/plan-file.ts';
import { planSummary } from '../../infra/deploy/plan-summary.ts';

const change = (type: string, actions: string[], more: Partial<Change['change']> = {}): Change => ({
  address: `module.stream.${type}.this`,
  mode: 'managed',
  type,
  module_address: 'module.stream[0].module.inner',
  change: { actions, ...more },
});
const planOf = (...changes: Change[]): Plan => ({
  planned_values: { root_module: {}, outputs: { options: { value: { 'stream.name': 'events' } } } },
  resource_changes: changes,
  configuration: { root_module: {} },
});

test('an emulator’s known fault explains a change of exactly its attributes', () => {
  const alarm = (after: Record<string, unknown>) =>
    change('aws_cloudwatch_metric_alarm', ['update'], { before: { tags_all: {}, threshold: 1 }, after });
  const forgotten = alarm({ tags_all: { Application: 'lakeward' }, threshold: 1 });
  const changed = alarm({ tags_all: { Application: 'lakeward' }, threshold: 2 });
  expect(changedAttributes(changed)).toEqual(['tags_all', 'threshold']);
  expect([...explainDrift([forgotten, changed]).keys()]).toEqual([forgotten]);
});

test('a replacement is never an emulator’s fault', () => {
  const replaced = change('aws_cloudwatch_metric_alarm', ['delete', 'create'], {
    before: { tags_all: {} },
    after: { tags_all: { Application: 'lakeward' } },
  });
  expect(explainDrift([replaced]).size).toBe(0);
});

test('the summary counts by module and by what happens, and leaves out what stays', () => {
  const plan = planOf(
    change('aws_kinesis_stream', ['create']),
    change('aws_cloudwatch_metric_alarm', ['create']),
    change('aws_cloudwatch_metric_alarm', ['delete', 'create']),
    change('aws_kms_key', ['no-op']),
  );
  expect(changesOf(plan)).toHaveLength(3);
  const summary = planSummary(plan);
  expect(summary).toContain('  stream    3  2 cloudwatch_metric_alarm, kinesis_stream');
  expect(summary).toContain('  stream.name  events');
  expect(summary).toContain('Plan: 3 to add, 0 to change, 1 to destroy.');
});
