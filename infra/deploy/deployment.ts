/**
 * One environment at one endpoint: plan, apply, read its outputs, destroy. With an emulated endpoint the state is a
 * file under .local/; with AWS it is in the bucket that the environment's backend.hcl names, and Terraform works in
 * the project's own folder, so that its lock file can be committed.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, PROJECT } from './cache.ts';
import { emptyBucket } from './empty-bucket.ts';
import { isMoto, variablesFor } from './emulator.ts';
import { type Change, changesOf, type Plan } from './plan-file.ts';
import { run, runWell } from './programs.ts';
import { findProviders } from './providers.ts';
import { workingCopy } from './working-copy.ts';

const COMPOSITION = join(PROJECT, 'infra/terraform/lakeward');
const ENVIRONMENTS = join(PROJECT, 'infra/terraform/environments');
const LOCALSTACK = 'localstack';
const STATE = 'terraform.tfstate';
/** What emulators accept from everybody. */
export const ANYBODY = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface Target {
  environment: string;
  /** Where an emulator answers; undefined: AWS itself. */
  endpoint?: string | undefined;
  /** Another name than the variable `name` has, so that several can be in one account. */
  name?: string | undefined;
}

export type Outputs = Readonly<Record<string, unknown>>;

export interface Deployment {
  /** Plans, and keeps the plan for `apply`. */
  plan(): Promise<Plan>;
  /** Applies the plan that was made last. */
  apply(): Promise<void>;
  outputs(): Promise<Outputs>;
  /** What a plan would change now; empty when what is there is what is asked for. */
  drift(): Promise<Change[]>;
  destroy(): Promise<void>;
  /** Addresses of what the state holds. */
  resources(): Promise<string[]>;
  /** Removes what this process keeps for itself. */
  close(): Promise<void>;
}

export async function openDeployment(target: Target): Promise<Deployment> {
  const settings = [
    `-var-file=${join(ENVIRONMENTS, target.environment, 'terraform.tfvars')}`,
    ...(target.name ? ['-var', `name=${target.name}`] : []),
    ...(target.endpoint === undefined ? [] : await variablesFor(target.endpoint)),
  ];
  const { root, env, state } = await (target.endpoint === undefined ? onAws(target) : emulated(target));
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-deploy-'));
  const file = join(folder, 'plan');
  const terraform = (...args: string[]) => runWell('terraform', [`-chdir=${root}`, ...args], { env });
  const quiet = ['-input=false', '-no-color'];
  const plan = async (to: string): Promise<Plan> => {
    await terraform('plan', ...quiet, ...state, ...settings, `-out=${to}`);
    return JSON.parse(await terraform('show', '-json', to)) as Plan;
  };
  return {
    plan: () => plan(file),
    async apply() {
      await terraform('apply', ...quiet, ...state, file);
    },
    async outputs() {
      const raw = JSON.parse(await terraform('output', '-json', ...state)) as Record<
        string,
        { value: unknown }
      >;
      return Object.fromEntries(Object.entries(raw).map(([name, { value }]) => [name, value]));
    },
    drift: async () => changesOf(await plan(join(folder, 'again'))),
    async destroy() {
      if (target.endpoint !== undefined && (await isMoto(target.endpoint)))
        for (const { bucket, region } of await bucketsIn(target))
          await emptyBucket(bucket, { endpoint: target.endpoint, region, credentials: ANYBODY });
      await terraform('destroy', '-auto-approve', ...quiet, ...state, ...settings);
    },
    async resources() {
      const { stdout } = await run('terraform', [`-chdir=${root}`, 'state', 'list', ...state], { env });
      return stdout.split('\n').filter((line) => line !== '' && !line.includes('.data.'));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Of everything that emulated deployments keep; LAKEWARD_LOCAL names another one, so that tests have their own. */
export function localRoot(): string {
  return process.env['LAKEWARD_LOCAL'] || join(PROJECT, '.local');
}

/** Where the state of an emulated environment is kept. */
export function localFolder({ environment, name }: Target): string {
  return join(localRoot(), name ? `${environment}-${name}` : environment);
}

/** Where the LocalStack that deploy starts keeps its files. */
export function localStackFolder(): string {
  return join(localRoot(), LOCALSTACK);
}

/** The emulated deployments that there are, by the names of their folders. */
export async function localDeployments(): Promise<string[]> {
  const names = await readdir(localRoot()).catch(() => []);
  return names.filter((name) => name !== LOCALSTACK);
}

/** Where an emulated environment was deployed, also when that failed halfway; undefined when it never was. */
export async function endpointOf(target: Target): Promise<string | undefined> {
  const text = await readFile(endpointFile(target), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as { endpoint: string }).endpoint;
}

/** Those that the state of an emulated deployment holds. */
async function bucketsIn(target: Target): Promise<{ bucket: string; region: string }[]> {
  const text = await readFile(join(localFolder(target), STATE), 'utf8').catch(() => '{}');
  const { resources = [] } = JSON.parse(text) as {
    resources?: {
      mode: string;
      type: string;
      instances: { attributes: { bucket: string; region: string } }[];
    }[];
  };
  return resources
    .filter(({ mode, type }) => mode === 'managed' && type === 'aws_s3_bucket')
    .flatMap(({ instances }) => instances.map(({ attributes }) => attributes));
}

const endpointFile = (target: Target): string => join(localFolder(target), 'endpoint.json');

async function emulated(target: Target) {
  const { folder, env } = await workingCopy('lakeward', await findProviders());
  const local = localFolder(target);
  await mkdir(local, { recursive: true });
  await writeFile(endpointFile(target), JSON.stringify({ endpoint: target.endpoint }));
  return {
    root: join(folder, 'lakeward'),
    env: {
      ...env,
      AWS_ACCESS_KEY_ID: ANYBODY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ANYBODY.secretAccessKey,
      AWS_SESSION_TOKEN: '',
      AWS_ENDPOINT_URL: target.endpoint!,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    state: [`-state=${join(local, STATE)}`],
  };
}

async function onAws({ environment }: Target) {
  const providers = await findProviders();
  const env = { ...providers.env, TF_DATA_DIR: cacheFolder('aws', environment), TF_IN_AUTOMATION: '1' };
  const backend = `-backend-config=${join(ENVIRONMENTS, environment, 'backend.hcl')}`;
  await runWell('terraform', [`-chdir=${COMPOSITION}`, 'init', '-input=false', '-no-color', backend], {
    env,
  });
  return { root: COMPOSITION, env, state: [] };
}
