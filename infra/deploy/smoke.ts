/**
 * The image's program against what was deployed, told exactly what the outputs say, each part as the role that was
 * deployed for it and by the command of its container: events into the deployed stream, one run, and the count of them in
 * the deployed bucket.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { environmentOf, type OptionName } from '../../src/config/config.ts';
import { Stopped } from './as-command.ts';
import type { Outputs } from './deployment.ts';
import type { ImageProgram } from './image-program.ts';

const EVENTS = 1_000;
/** Sent twice: staging must drop them. */
const REPEATS = 100;
const QUESTION = 'select count(*) as rows, count(distinct event_uuid) as ids from staging.events';

export type Environment = Readonly<Record<string, string>>;

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** Who does what. Producer and reader are anybody whom the policy of that name is attached to; the others are roles. */
export type Part = 'producer' | 'processor' | 'staging' | 'transforms' | 'reader';

export interface Deployed {
  endpoint: string;
  outputs: Outputs;
  /** Environment variables with the credentials of each. */
  identities: Readonly<Record<Part, Environment>>;
  program: ImageProgram;
}

/** What was found in the bucket; an error when it is not what was sent, or when a step was refused. */
export async function smokeTest(deployed: Deployed): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-smoke-'));
  try {
    const as = (part: Part, args: readonly string[]) => runAs(part, args, { deployed, folder });
    const batch = crypto.randomUUID();
    // One request each, one after the other: moto loses records of two that come at once.
    for (const [at, some] of events(batch).entries()) {
      const file = join(folder, `events-${at}.ndjson`);
      await writeFile(file, some.join('\n'));
      await as('producer', ['send', file]);
    }
    await as('processor', ['run', 'processor', 'quarantine', '--once']);
    await as('staging', ['run', 'staging', 'maintenance', '--once']);
    await as('processor', ['verify']);
    const mine = `${QUESTION} where event_uuid like '${batch}%'`;
    const answer = await as('reader', ['sql', '--format', 'json', mine]);
    const found = JSON.parse(answer) as { rows: number; ids: number }[];
    if (found[0]?.rows !== EVENTS || found[0].ids !== EVENTS)
      throw new Stopped('the smoke test failed', {
        why: `${EVENTS} events were sent, and the bucket holds ${answer.trim()}`,
      });
    return `${EVENTS} events and ${REPEATS} repeats sent; ${EVENTS} in the bucket, and verify found nothing; run from ${deployed.program.folder}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A command as the part's role, in a work folder of its own; what it said. */
export async function runAs(
  part: Part,
  args: readonly string[],
  { deployed, folder }: { deployed: Deployed; folder: string },
): Promise<string> {
  const work = join(folder, part);
  await mkdir(work, { recursive: true });
  const env = { ...toldBy(deployed), ...deployed.identities[part] };
  return deployed.program.run(args, { work, env });
}

/** The roles, taken by somebody whom they trust. `credentials` may put events and read the lake, too. */
export async function takeRoles(
  where: Pick<Deployed, 'endpoint' | 'outputs'>,
  credentials: Credentials,
): Promise<Deployed['identities']> {
  return {
    producer: variablesOf(credentials),
    processor: await roleTaken(where, { role: 'processor', credentials }),
    staging: await roleTaken(where, { role: 'staging', credentials }),
    transforms: await roleTaken(where, { role: 'transforms', credentials }),
    reader: variablesOf(credentials),
  };
}

/** In files of as many as one PutRecords takes; the last are repeats. */
function events(batch: string): string[][] {
  const now_s = Math.floor(Date.now() / 1000);
  const all = Array.from({ length: EVENTS }, (_, at) => {
    const event_name = ['account:created', 'lesson:started', 'payment:order:completed'][at % 3];
    return JSON.stringify({ event_uuid: `${batch}-${at}`, event_name, created_at: now_s - (at % 60) });
  });
  const half = EVENTS / 2;
  return [all.slice(0, half), all.slice(half), all.slice(0, REPEATS)];
}

/** The options of the outputs as environment variables, and the endpoint, which on AWS nobody is told. */
function toldBy({ endpoint, outputs }: Pick<Deployed, 'endpoint' | 'outputs'>): Environment {
  const options = {
    ...(outputs['options'] as Record<string, string>),
    'stream.endpoint': endpoint,
    'store.endpoint': endpoint,
  };
  const named = Object.entries(options).map(([name, value]) => [environmentOf(name as OptionName), value]);
  return Object.fromEntries(named) as Environment;
}

function variablesOf({ accessKeyId, secretAccessKey, sessionToken = '' }: Credentials): Environment {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

async function roleTaken(
  { endpoint, outputs }: Pick<Deployed, 'endpoint' | 'outputs'>,
  { role, credentials }: { role: string; credentials: Credentials },
): Promise<Environment> {
  const RoleArn = (outputs['role_arns'] as Record<string, string>)[role]!;
  const take = fromTemporaryCredentials({
    masterCredentials: credentials,
    params: { RoleArn, RoleSessionName: 'smoke-test' },
    clientConfig: { endpoint, region: String(outputs['region']) },
  });
  return variablesOf(await take());
}
