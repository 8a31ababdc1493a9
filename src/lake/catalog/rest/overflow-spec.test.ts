import { expect, test } from 'vitest';
import { fakeRest } from '../../../../tests/support/fake-rest.ts';
import { createSmall, movedClock, seeded } from '../../../../tests/support/small-lake.ts';
import type { Log } from '../../../base/base.ts';
import { openMemoryStore } from '../../../object-store/object-store.ts';
import { openLake, openRestCatalog } from '../../lake.ts';

test('a service that takes no spec without fields is asked once, and that is said once', async () => {
  const clock = movedClock(Date.UTC(2026, 0, 1));
  const store = openMemoryStore({ clock });
  const fake = fakeRest({});
  const said: unknown[] = [];
  const log = {
    warn: (id: string, _text: string, fields: object) => said.push([id, fields]),
  } as unknown as Log;
  const catalog = await openRestCatalog({
    ...{
      uri: fake.uri,
      fetch: fake.fetch,
      auth: { kind: 'none' },
      clock,
      root: store.root,
      random: seeded(1),
    },
  });
  const lake = openLake({ store, catalog, clock, log, random: seeded(2) });
  const table = await createSmall(lake);
  const before = fake.requests.length;
  fake.intercept = ({ body }) => (body.includes('add-spec') ? 400 : undefined);
  expect(await lake.withOverflow(table)).toBeUndefined();
  expect(await lake.withOverflow(table)).toBeUndefined();
  expect(fake.requests.length - before).toBe(1);
  expect(said).toEqual([['lake.overflow_refused', { table: 'raw.events', why: expect.any(String) }]]);
});
