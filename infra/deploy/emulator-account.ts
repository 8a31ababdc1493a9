/** Which account an emulator plays. Asked by hand: the SDK's client for STS is no dependency of ours. */
const SCOPE = 'test/20260101/us-east-1/sts/aws4_request';

export async function accountAt(endpoint: string): Promise<string> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      // Emulators read the service and nothing else of it, so it need not be a signature.
      authorization: `AWS4-HMAC-SHA256 Credential=${SCOPE}, SignedHeaders=host, Signature=none`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new Error(`nothing answers at ${endpoint}: start it, or leave ENDPOINT out`, { cause: error });
  });
  const account = /<Account>(\d{12})<\/Account>/.exec(await answer.text())?.[1];
  if (account === undefined) throw new Error(`${endpoint} does not answer as AWS STS does`);
  return account;
}
