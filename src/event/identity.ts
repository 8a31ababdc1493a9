import { createHash } from 'node:crypto';

/** An event_uuid of this form is its own identity; upper and lower case are one (RFC 9562). */
const IDENTITY_PATTERN = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';

const whole = new RegExp(`^${IDENTITY_PATTERN}$`);

/**
 * The 128-bit identity of an event_uuid as 32 lower-case hex digits: the value itself when it has the pattern, else
 * the first 128 bits of SHA-256 of its UTF-8 bytes. Each engine has the same function in SQL; shared vectors
 * (identity.test.ts and the engine's test) hold them together.
 */
export function identityOf(eventUuid: string): string {
  return whole.test(eventUuid)
    ? eventUuid.replaceAll('-', '').toLowerCase()
    : createHash('sha256').update(eventUuid, 'utf8').digest('hex').slice(0, 32);
}
