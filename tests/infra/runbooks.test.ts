/** Alarms and runbooks tell of each other, and what a runbook names is there: log entries, options, variables, commands. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT } from '../../infra/deploy/cache.ts';
import { planOffline } from '../../infra/deploy/offline-plan.ts';
import { type Plan, resourcesOf } from '../../infra/deploy/plan-file.ts';
import { headingAnchors } from '../structure/markdown.ts';
import { lakeward } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { describeWithTerraform, findTerraform } from './provider.ts';

const PAGE = 'docs/how-to/runbooks.md';
const MODULES = 'infra/terraform/modules';
const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
const filesIn = (folder: string, ending: string): string[] =>
  (readdirSync(join(PROJECT, folder), { recursive: true }) as string[])
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`);

const page = read(PAGE);
const [, ...sections] = headingAnchors(page);
const observability = read(`${MODULES}/observability/alarms.tf`);

describeWithTerraform(await findTerraform(), 'alarms', () => {
  const sectionsOf = (plan: Plan): string[] =>
    resourcesOf(plan)
      .filter(({ type }) => type === 'aws_cloudwatch_metric_alarm')
      .map(({ address, values }) => {
        const [, of, section] = /Runbook: (\S+)#(\S+)$/.exec(String(values['alarm_description'])) ?? [];
        expect(of, address).toBe(PAGE);
        return section!;
      });

  test('of every kind of environment have a section each, and no section is without an alarm', async () => {
    const scheduled = '{ mode = "SCHEDULE" }';
    const plans = [
      await planOffline('prod', { firehose: '{}' }),
      await planOffline('dev', { transforms: scheduled }),
    ];
    const linked = new Set(plans.flatMap(sectionsOf));
    expect(sections.length).toBeGreaterThan(10);
    expect([...linked].sort()).toEqual([...sections].sort());
  });

  test('are there for every service that may not be running, and for every schedule', async () => {
    const plan = await planOffline('prod', { transforms: '{ mode = "SERVICE" }' });
    const ofType = (type: string) => resourcesOf(plan).filter((resource) => resource.type === type);
    const services = ofType('aws_ecs_service').map(({ values }) => String(values['name']));
    const watched = ofType('aws_cloudwatch_metric_alarm')
      .filter(({ values }) => values['metric_name'] === 'RunningTaskCount')
      .map(({ values }) => (values['dimensions'] as Record<string, string>)['ServiceName']);
    expect(services.length).toBe(3);
    expect(watched.sort()).toEqual(services.sort());
  });
});

test('what a runbook says in code is a log entry or field, an option, a variable, a metric or a name of Terraform', () => {
  const known = [
    ...['docs/reference/log-messages.md', 'docs/reference/configuration.md'].map(read),
    ...filesIn('infra/terraform', '.tf').map(read),
    // Fields of entries that name a range, and what ended a command.
    ...['src/stream/intake.ts', 'src/cli/execute.ts', 'src/lake/commit/commit.ts'].map(read),
  ].join('\n');
  const isKnown = (word: string) =>
    new RegExp(`(?<![\\w.])${word.replaceAll('.', '\\.')}(?!\\w)`).test(known);
  const spans = [...page.matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code!)
    .filter((code) => !/^(lakeward|aws) /.test(code));
  const words = spans.flatMap((code) => code.match(/[A-Za-z][\w.-]*\w/g) ?? []);
  const variables = variablePaths();
  // Placeholders, files, and values of an example.
  const others = ['lakeward-ENVIRONMENT', 'ROLE', 'terraform.tfvars', 'event_uuid', '5m'];
  expect(words.length).toBeGreaterThan(30);
  const unknown = words.filter((word) => !isKnown(word) && !variables.has(word) && !others.includes(word));
  expect(unknown).toEqual([]);
});

/** `stream`, `stream.shards`, … of the composition. */
function variablePaths(): Set<string> {
  const text = read('infra/terraform/lakeward/variables.tf');
  const paths = [...text.matchAll(/^variable "(\w+)" \{\n(.*?)^\}/gms)].flatMap(([, name, body]) => [
    name!,
    ...[...body!.matchAll(/^ {4}(\w+) += optional/gm)].map(([, attribute]) => `${name}.${attribute}`),
  ]);
  return new Set(paths);
}

test('alarms count what the program logs: its entries, with a number in each field that is added up', async () => {
  const counted = [...observability.matchAll(/\$\.id = \\"([\w.]+)\\" \}", value = "\$\.(\w+)"/g)];
  expect(counted.map(([, id, field]) => `${id} ${field}`).sort()).toEqual([
    'processor.committed quarantined',
    'processor.committed received',
  ]);
  const dir = mkdtempSync(join(tmpdir(), 'counted-'));
  try {
    const file = join(dir, 'events.ndjson');
    writeFileSync(
      file,
      `${JSON.stringify({ event_uuid: 'e', event_name: 'a:b', created_at: 1_767_225_600 })}\nno event`,
    );
    const env = { LAKEWARD_DIR: dir, LAKEWARD_LOG_FORMAT: 'json' };
    await lakeward(['send', file], { env });
    const ran = await lakeward(['run', '--once'], { env });
    expect(ran.code, ran.stderr).toBe(0);
    const failed = await lakeward(['run', '--once'], { env: { ...env, LAKEWARD_ENGINE_MEMORY: 'none' } });
    const [all, ofFailed] = [ran, failed].map(({ stderr }) => entriesIn(stderr));
    const ofCommits = all!.filter(({ id }) => id === 'processor.committed');
    const sum = (field: string) => ofCommits.reduce((added, entry) => added + Number(entry[field]), 0);
    expect([sum('received'), sum('quarantined')]).toEqual([2, 1]);
    expect(all!.filter(({ level }) => level === 'error')).toEqual([]);
    // A role that cannot even begin is an error to the alarm as well.
    expect(ofFailed).toMatchObject([{ level: 'error', id: 'cli.failed', exit: 2 }]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

function entriesIn(stderr: string): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

describeWith(await pythonWith('kinesis'), 'commands of AWS in the documents', () => {
  test('are known to AWS’ own models, with their options', async () => {
    const python = await pythonWith('kinesis');
    const commands = filesIn('docs', '.md').flatMap((path) =>
      awsCommands(read(path)).map((command) => ({ path, ...command })),
    );
    expect(commands.length).toBeGreaterThan(5);
    const found = await python.run<(string | null)[]>(
      join(import.meta.dirname, 'check_aws_commands.py'),
      commands,
    );
    expect(
      found.flatMap((mistake, at) => (mistake === null ? [] : `${commands[at]!.path}: ${mistake}`)),
    ).toEqual([]);
  });
});

/** In code, each up to the end of its line or of its part of a pipeline; continued lines are one. */
function awsCommands(text: string): { service: string; operation: string; options: [string, string][] }[] {
  const code = [...text.matchAll(/^ *```[^\n]*\n([\s\S]*?)^ *```|`([^`\n]+)`/gm)].map(([, block, span]) =>
    (block ?? span)!.replaceAll('\\\n', ' '),
  );
  return code.flatMap((each) =>
    [...each.matchAll(/\baws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)((?:"[^"]*"|[^|;\n"])*)/g)].map(
      ([, service, operation, rest]) => ({
        service: service!,
        operation: operation!,
        options: [...rest!.matchAll(/--([a-z-]+)(?: +("[^"]*"|[^\s"-]\S*))?/g)].map(
          ([, option, value]): [string, string] => [option!, value?.replaceAll('"', '') ?? ''],
        ),
      }),
    ),
  );
}
