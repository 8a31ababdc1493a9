import type { S3Connection, S3Credentials } from './s3.ts';

export interface Renewable {
  credentials: S3Credentials | (() => Promise<S3Credentials>) | undefined;
  /** The session ran out: the next request is signed with credentials that the provider loads anew. */
  renew(): void;
}

/**
 * A provider is asked at every request, which the SDK does with one that says it remembers what it gave. Of any other the
 * SDK keeps what has no expiry for ever, whoever logged in again meanwhile.
 */
export function renewable(credentials: S3Connection['credentials']): Renewable {
  if (typeof credentials !== 'function') return { credentials, renew: () => {} };
  let ranOut = false;
  const asked = async (): Promise<S3Credentials> => {
    const how = ranOut ? { forceRefresh: true } : undefined;
    ranOut = false;
    return credentials(how);
  };
  return {
    credentials: Object.assign(asked, { memoized: true }),
    renew: () => {
      ranOut = true;
    },
  };
}
