import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

/**
 * The 329 real webhook payloads of npm @octokit/webhooks-examples as events: 161 names of 58 types (of which some
 * have no subtype), deeply nested, up to 30 kB each. A document is the payload with the three fields of an event
 * before it; created_at stays as GitHub wrote it, which is ISO 8601 text with and without an offset, or a number.
 */
export interface GithubEvent {
  event_uuid: string;
  event_name: string;
  document: string;
  /** What created_at means, in Unix seconds, by JavaScript's own reading of it. */
  created_at_s: number;
}

interface Payload {
  action?: string;
}

/** For payloads that say no time at all: an hour apart from here. */
const NO_TIME_S = Date.UTC(2020, 0, 1) / 1000;

export function githubEvents(): GithubEvent[] {
  const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string;
    examples: Payload[];
  }[];
  return definitions
    .flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })))
    .map(({ name, payload }, index) => {
      const event_uuid = uuidOf(`${index} ${JSON.stringify(payload)}`);
      const event_name = payload.action === undefined ? name : `${name}:${payload.action}`;
      const created_at = latestTime(payload) ?? NO_TIME_S + index * 3600;
      const document = JSON.stringify({ event_uuid, event_name, ...payload, created_at });
      return { event_uuid, event_name, document, created_at_s: secondsOf(created_at) };
    });
}

/** Five payloads are the same twice; the index in the hash makes them different events. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

const secondsOf = (time: string | number): number =>
  typeof time === 'number' ? time : Date.parse(time) / 1000;

/** The latest moment at which anything in the payload happened, as it is written there. */
function latestTime(payload: unknown): string | number | undefined {
  let latest: string | number | undefined;
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (
        HAPPENED.has(key) &&
        isTime(inner) &&
        (latest === undefined || secondsOf(inner) > secondsOf(latest))
      )
        latest = inner;
      else look(inner);
    }
  };
  look(payload);
  return latest;
}

const HAPPENED = new Set(['created_at', 'updated_at', 'pushed_at', 'submitted_at', 'published_at']);

const isTime = (value: unknown): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value));
