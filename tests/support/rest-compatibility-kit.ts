/** Iceberg's own REST compatibility kit: its JUnit tests against a server, and what became of each. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exists } from './cached-folder.ts';
import { jarsWithDependencies, runs } from './maven.ts';

const JAVA = 'java';
const ICEBERG = '1.11.0';
const JARS = [
  `org.apache.iceberg:iceberg-open-api:${ICEBERG}:tests`,
  `org.apache.iceberg:iceberg-open-api:${ICEBERG}:test-fixtures`,
  `org.apache.iceberg:iceberg-core:${ICEBERG}`,
  `org.apache.iceberg:iceberg-core:${ICEBERG}:tests`,
  `org.apache.iceberg:iceberg-api:${ICEBERG}:tests`,
  'org.apache.hadoop:hadoop-client-api:3.4.3',
  'org.apache.hadoop:hadoop-client-runtime:3.4.3',
  'org.junit.platform:junit-platform-console-standalone:1.13.4',
  'org.assertj:assertj-core:3.27.3',
  'org.awaitility:awaitility:4.3.0',
  'org.slf4j:slf4j-simple:2.0.17',
];
const CLASSES = ['RESTCompatibilityKitCatalogTests', 'RESTCompatibilityKitViewCatalogTests'];
/** What the server does where the protocol leaves it a choice; the kit's other settings keep their defaults. */
const SETTINGS = {
  'rck.local': 'false',
  'rck.requires-namespace-create': 'true',
  'rck.supports-serverside-retry': 'true',
  'rck.overrides-requested-location': 'true',
  'rck.supports-variant': 'true',
};
/** Where the kit’s client leaves manifests of tables that it asks to be there. */
const LITTER = '/tmp/newdb';
/** 14–28 s when the machine has nothing else to do; ten times that when the disk is busy with others. */
const RUN_MS_MAX = 270_000;
const OUTPUT_CHARS_MAX = 20_000;

export type Outcome = 'passed' | 'failed' | 'skipped';

export interface CompatibilityKit {
  /** Why there is none; undefined when there is one. */
  missing: string | undefined;
  /** By the name of the test's method; of one that runs several times, the worst. */
  run(uri: string): Promise<{ outcomes: Map<string, Outcome>; messages: Map<string, string> }>;
}

/** On a developer's machine a missing Java is a reason to skip; where `CI` is set it is an error. */
export async function compatibilityKit(): Promise<CompatibilityKit> {
  const found = (await runs(JAVA)) ? await jarsWithDependencies(JARS) : { missing: 'no java' };
  if ('jars' in found) return { missing: undefined, run: (uri) => runKit(found.jars, uri) };
  const missing = `no REST compatibility kit: ${found.missing}`;
  if (process.env['CI']) throw new Error(missing);
  return { missing, run: () => Promise.reject(new Error(missing)) };
}

async function runKit(jars: readonly string[], uri: string) {
  const folder = await mkdtemp(join(tmpdir(), 'rest-kit-'));
  const wasThere = await exists(LITTER);
  try {
    // The client's own settings are system properties too.
    const settings = { ...SETTINGS, uri, 'java.io.tmpdir': folder };
    const output = await java(
      [
        '-Xmx1g',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
        ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
        ...['-cp', jars.join(':'), 'org.junit.platform.console.ConsoleLauncher', 'execute'],
        ...['--config', 'rck.local=false', '--disable-banner', '--details=none', `--reports-dir=${folder}`],
        ...CLASSES.map((name) => `--select-class=org.apache.iceberg.rest.${name}`),
      ],
      { cwd: folder },
    );
    const report = await readFile(join(folder, 'TEST-junit-jupiter.xml'), 'utf8').catch(() => {
      throw new Error(`the kit wrote no report: ${output}`);
    });
    return outcomesIn(report);
  } finally {
    await rm(folder, { recursive: true, force: true });
    if (!wasThere) await rm(LITTER, { recursive: true, force: true });
  }
}

function java(args: readonly string[], { cwd }: { cwd: string }): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(JAVA, args, { cwd, timeout: RUN_MS_MAX, killSignal: 'SIGKILL' });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', reject);
  // Failed tests make it end with 1; the report says which.
  child.on('close', (_code, signal) =>
    signal === null ? resolve(output) : reject(new Error(`the kit took too long: ${output}`)),
  );
  return promise;
}

const RANK: readonly Outcome[] = ['passed', 'skipped', 'failed'];

function outcomesIn(report: string) {
  const outcomes = new Map<string, Outcome>();
  const messages = new Map<string, string>();
  for (const [, name = '', content = ''] of report.matchAll(
    /<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    // `createTableTransaction(int)[2]` is a run of createTableTransaction.
    const method = name.replace(/\(.*$/, '');
    const outcome = /<(failure|error)\b/.test(content)
      ? 'failed'
      : /<skipped\b/.test(content)
        ? 'skipped'
        : 'passed';
    const before = outcomes.get(method) ?? 'passed';
    outcomes.set(method, RANK.indexOf(outcome) > RANK.indexOf(before) ? outcome : before);
    if (outcome === 'failed') messages.set(method, content.slice(0, 2_000));
  }
  return { outcomes, messages };
}
