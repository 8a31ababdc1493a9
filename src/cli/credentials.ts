import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { Credentials } from '../stream/stream.ts';

/** The embedded stream checks no signature on loopback; requests are signed all the same. */
export const LOCAL_CREDENTIALS: Credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Environment, shared files, SSO, container and instance roles, as the SDK looks for them. */
export function chainedCredentials(): Credentials {
  const chain = fromNodeProviderChain();
  return async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await chain();
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  };
}
