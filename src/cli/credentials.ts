import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { Credentials } from '../stream/stream.ts';

/** The embedded stream checks no signature on loopback; requests are signed all the same. */
export const LOCAL_CREDENTIALS: Credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Environment, shared files, SSO, container and instance roles, as the SDK looks for them. */
export function chainedCredentials(): Credentials {
  // A file that was written anew by whoever logged in again is read anew.
  const chain = fromNodeProviderChain({ ignoreCache: true });
  return async (how) => {
    // The chain looks after the expiry of what it gives.
    const { accessKeyId, secretAccessKey, sessionToken } = await chain(how);
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  };
}
