import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { damage } from '../../../src/cli/cli.ts';
import { githubEvents } from './github.ts';

const events = githubEvents();
const documents = events.map(({ document }) => JSON.parse(document) as Record<string, unknown>);

describe('the GitHub corpus', () => {
  test('has 329 events of 161 names, each with a UUID of its own, the same every time', () => {
    expect(events).toHaveLength(329);
    expect(new Set(events.map(({ event_name }) => event_name)).size).toBe(161);
    expect(new Set(events.map(({ event_uuid }) => event_uuid)).size).toBe(329);
    expect(githubEvents()).toEqual(events);
  });

  test('keeps every payload whole beside the three fields of an event', () => {
    const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
      examples: Record<string, unknown>[];
    }[];
    const payloads = definitions.flatMap(({ examples }) => examples);
    documents.forEach((document, index) => {
      const payload = payloads[index]!;
      for (const [field, value] of Object.entries(payload))
        if (field !== 'created_at') expect(document[field]).toEqual(value);
      const added = Object.keys(document).filter((field) => !(field in payload));
      expect(added).toEqual(expect.arrayContaining(['event_uuid', 'event_name']));
    });
  });

  test('has true times, as text with and without an offset and as numbers', () => {
    const written = documents.map(({ created_at }) => created_at);
    expect(written.some((time) => typeof time === 'number')).toBe(true);
    expect(written.some((time) => typeof time === 'string' && time.endsWith('Z'))).toBe(true);
    expect(written.some((time) => typeof time === 'string' && /[+-]\d\d:\d\d$/.test(time))).toBe(true);
    for (const { created_at_s } of events) {
      expect(created_at_s).toBeGreaterThan(Date.UTC(2000, 0, 1) / 1000);
      expect(created_at_s).toBeLessThan(Date.UTC(2026, 0, 1) / 1000);
    }
  });

  test('can be damaged like any other, with every reason in it', () => {
    const { records, truth } = damage(events, { seed: 1 });
    expect([...records]).toHaveLength(truth.sent);
    expect(truth.distinct).toBe(329);
    expect(truth.repeats).toBeGreaterThan(0);
    expect(Object.values(truth.damaged)).not.toContain(0);
  });
});
