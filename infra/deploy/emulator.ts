/**
 * What stands in for AWS at an endpoint: which account it plays, and what is left out there because it does not do it.
 * Asked by hand, as the SDK's clients for STS and IAM are no dependency of ours.
 */

import { Stopped } from './as-command.ts';

/** Every emulator has an account of its own; what it cannot do is off, whatever the environment says. */
export async function variablesFor(endpoint: string): Promise<string[]> {
  const account = await accountAt(endpoint);
  const variables = [`account_id=${account}`, `trusted_principal_arns=["arn:aws:iam::${account}:root"]`];
  if (await isMoto(endpoint)) variables.push(`capabilities=${AT_MOTO}`);
  return variables.flatMap((variable) => ['-var', variable]);
}

/** Glue is there, but not behind Iceberg's REST protocol. A statement whose condition does not hold denies all. */
const AT_MOTO = '{ glue = false, containers = false, autoscaling = false, bucket_policy = false }';

async function accountAt(endpoint: string): Promise<string> {
  const answer = await query(endpoint, {
    service: 'sts',
    parameters: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
  }).catch((error: unknown) => {
    throw new Stopped(`nothing answers at ${endpoint}`, {
      why: String(error instanceof Error ? (error.cause ?? error) : error),
      fix: 'start it; or, if it ended for good, what was in it has gone with it: remove its folder below .local/',
      cause: error,
    });
  });
  const account = /<Account>(\d{12})<\/Account>/.exec(answer)?.[1];
  if (account === undefined)
    throw new Stopped(`${endpoint} is no emulator of AWS`, {
      why: 'it answers to STS GetCallerIdentity without an account',
      fix: 'name the address of LocalStack, moto or another',
    });
  return account;
}

/** A request of AWS' query protocol. Emulators read of a signature which service it is for, and nothing else. */
export async function query(
  endpoint: string,
  { service, parameters }: { service: string; parameters: Readonly<Record<string, string>> },
): Promise<string> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: new URLSearchParams(parameters),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${parameters['Action']} was answered with ${answer.status}: ${text}`);
  return text;
}

export async function isMoto(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/moto-api/`, { signal: AbortSignal.timeout(30_000) });
  return answer.ok && (await answer.text()).includes('Moto');
}
