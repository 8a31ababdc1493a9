/**
 * The program against what was deployed, told exactly what the outputs say, as the role that was deployed: events into
 * the deployed stream, one run, and the count of them in the deployed bucket.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { environmentOf, type OptionName } from '../../src/config/config.ts';
import { PROJECT } from './cache.ts';
import type { Outputs } from './deployment.ts';
import { runWell } from './programs.ts';

const EVENTS = 1_000;
/** Sent twice: staging must drop them. */
const REPEATS = 100;
const QUESTION = 'select count(*) as rows, count(distinct event_uuid) as ids from staging.events';

type Environment = Readonly<Record<string, string>>;

export interface Deployed {
  endpoint: string;
  outputs: Outputs;
  /** Who may take the deployed roles. */
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** What was found in the bucket; an error when it is not what was sent. */
export async function smokeTest(deployed: Deployed): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-smoke-'));
  try {
    const told = toldBy(deployed, folder);
    const batch = crypto.randomUUID();
    await writeFile(join(folder, 'events.ndjson'), events(batch).join('\n'));
    await lakeward(['send', join(folder, 'events.ndjson')], { ...told, ...asOurselves(deployed) });
    const env = { ...told, ...(await asRole(deployed, 'processor')) };
    await lakeward(['run', '--once'], env);
    await lakeward(['verify'], env);
    const mine = `${QUESTION} where event_uuid like '${batch}%'`;
    const answer = await lakeward(['sql', '--format', 'json', mine], env);
    const found = JSON.parse(answer) as { rows: number; ids: number }[];
    if (found[0]?.rows !== EVENTS || found[0].ids !== EVENTS)
      throw new Error(`${EVENTS} events were sent, and the bucket holds ${answer.trim()}`);
    return `${EVENTS} events and ${REPEATS} repeats sent; ${EVENTS} in the bucket, and verify found nothing`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function events(batch: string): string[] {
  const now_s = Math.floor(Date.now() / 1000);
  const all = Array.from({ length: EVENTS }, (_, at) => {
    const event_name = ['account:created', 'lesson:started', 'payment:order:completed'][at % 3];
    return JSON.stringify({ event_uuid: `${batch}-${at}`, event_name, created_at: now_s - (at % 60) });
  });
  return [...all, ...all.slice(0, REPEATS)];
}

function toldBy({ endpoint, outputs }: Deployed, folder: string): Environment {
  const options = {
    ...(outputs['options'] as Record<string, string>),
    'stream.endpoint': endpoint,
    'store.endpoint': endpoint,
    dir: join(folder, 'work'),
  };
  const named = Object.entries(options).map(([name, value]) => [environmentOf(name as OptionName), value]);
  return Object.fromEntries(named) as Environment;
}

function asOurselves({ credentials }: Deployed): Environment {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: '',
  };
}

async function asRole({ endpoint, outputs, credentials }: Deployed, role: string): Promise<Environment> {
  const RoleArn = (outputs['role_arns'] as Record<string, string>)[role]!;
  const take = fromTemporaryCredentials({
    masterCredentials: credentials,
    params: { RoleArn, RoleSessionName: 'smoke-test' },
    clientConfig: { endpoint, region: String(outputs['region']) },
  });
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await take();
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  };
}

/** Anything but exit code 0 is an error that holds what the program said. */
function lakeward(args: readonly string[], env: Environment): Promise<string> {
  return runWell(join(PROJECT, 'bin/lakeward'), args, { env });
}
