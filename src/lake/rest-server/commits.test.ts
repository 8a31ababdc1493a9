import { afterEach, describe, expect, test } from 'vitest';
import { faultyCatalog } from '../../../tests/support/faulty-catalog.ts';
import {
  appendOf,
  COLUMNS,
  EVENTS,
  type RestCatalog,
  restCatalog,
} from '../../../tests/support/rest-catalog.ts';
import { movedClock } from '../../../tests/support/small-lake.ts';
import { type ObjectStore, openMemoryStore } from '../../object-store/object-store.ts';
import { openMemoryCatalog } from '../catalog/memory.ts';

let rest: RestCatalog;
afterEach(() => rest.close());

const setProperty = (key: string, value = '1') => ({
  requirements: [],
  updates: [{ action: 'set-properties', updates: { [key]: value } }],
});

const commit = (body: unknown) => rest.ask('POST', EVENTS, { body });
const metadata = async () => (await rest.ask('GET', EVENTS)).body.metadata;
const properties = async () => (await metadata()).properties;
const metadataFiles = async () =>
  (await rest.locations()).filter((location) => location.endsWith('.metadata.json'));

/** A catalog whose swaps go wrong as the test says. */
async function overFaults() {
  const inner = openMemoryCatalog();
  const faulty = faultyCatalog(inner);
  const catalog = {
    ...inner,
    load: (name: string) => faulty.load(name),
    create: (name: string, location: string) => faulty.create(name, location),
    swap: (name: string, move: { from: string; to: string }) => faulty.swap(name, move),
  };
  rest = await restCatalog({ catalog });
  return { inner, faulty };
}

describe('commits', () => {
  test('of two clients on one version: one is made, the other told so', async () => {
    rest = await restCatalog();
    await rest.createTable();
    const answers = await Promise.all([commit(appendOf(1n)), commit(appendOf(2n))]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const lost = answers.find(({ status }) => status === 409)!;
    expect(lost.body.error).toMatchObject({ type: 'CommitFailedException' });
    expect(await metadata()).toHaveProperty('snapshots.length', 1);
  });

  test('of a machine that slept since it wrote the metadata file are made by another file: that one may be gone', async () => {
    const clock = movedClock(Date.UTC(2026, 0, 1));
    const inner = openMemoryStore({ clock });
    const written: string[] = [];
    const store: ObjectStore = {
      ...inner,
      async writeIfAbsent(location, bytes) {
        if (written.length === 1) clock.now_ms += 4 * 86_400_000;
        written.push(location);
        return inner.writeIfAbsent(location, bytes);
      },
    };
    rest = await restCatalog({ store, clock });
    await rest.createTable();
    expect(await commit(setProperty('slept'))).toMatchObject({ status: 200 });
    expect(written).toHaveLength(3);
    expect(await metadataFiles()).toEqual([written[0], written[2]]);
  });

  test('of many clients that do not exclude each other are all made', async () => {
    rest = await restCatalog();
    await rest.createTable();
    const keys = Array.from({ length: 6 }, (_, at) => `key-${at}`);
    const answers = await Promise.all(keys.map((key) => commit(setProperty(key))));
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
    expect(Object.keys(await properties())).toEqual(expect.arrayContaining(keys));
    expect(await metadataFiles()).toHaveLength(keys.length + 1);
  });

  test('that are always overtaken end with 409, and leave no file behind', async () => {
    const { faulty, inner } = await overFaults();
    await rest.createTable();
    faulty.beforeSwap = async () => {
      const pointer = (await inner.load('raw.events'))!;
      const other = pointer.metadataLocation.replace(/[^/]*$/, `${crypto.randomUUID()}.json`);
      await rest.store.write(other, await rest.store.read(pointer.metadataLocation));
      await inner.swap('raw.events', { from: pointer.metadataLocation, to: other });
    };
    expect((await commit(setProperty('a'))).body.error).toMatchObject({ code: 409 });
    expect(await metadataFiles()).toHaveLength(1);
    expect(faulty.swaps).toBe(8);
  });

  test('that change nothing make no version', async () => {
    rest = await restCatalog();
    await rest.createTable();
    const first = await commit(setProperty('a'));
    const again = await commit(setProperty('a'));
    expect(again.status).toBe(200);
    expect(again.body['metadata-location']).toEqual(first.body['metadata-location']);
  });

  test('with what this server does not know are refused whole', async () => {
    rest = await restCatalog();
    await rest.createTable();
    const [update] = setProperty('a').updates;
    for (const body of [
      { updates: [update, { action: 'add-view-version' }] },
      { requirements: [{ type: 'assert-moon-phase' }], updates: [update] },
      { requirements: [], updates: 'all' },
      { updates: [{ action: 'set-current-schema', 'schema-id': 'one' }] },
      { updates: [{ action: 'add-snapshot', snapshot: { 'snapshot-id': 1.5 } }] },
    ]) {
      expect((await commit(body)).body.error).toMatchObject({ code: 400, type: 'BadRequestException' });
    }
    expect(await properties()).not.toHaveProperty('a');
  });

  test('of a snapshot that is too old may be made anew', async () => {
    rest = await restCatalog();
    await rest.createTable();
    await commit(appendOf(1n));
    const stale = { ...appendOf(2n, { parent: 1n, number: 1 }) };
    expect((await commit(stale)).body.error).toMatchObject({ code: 409, type: 'CommitFailedException' });
  });

  test('delete the old metadata files that the table does not want', async () => {
    rest = await restCatalog();
    await rest.createTable({
      properties: {
        'write.metadata.previous-versions-max': '2',
        'write.metadata.delete-after-commit.enabled': 'true',
      },
    });
    for (let at = 0; at < 6; at++) await commit(setProperty(`key-${at}`));
    expect(await metadataFiles()).toHaveLength(3);
  });
});

describe('a commit whose answer is lost', () => {
  test('is found when it was made, and its client told so', async () => {
    const { faulty } = await overFaults();
    await rest.createTable();
    faulty.faults.push('answer-lost');
    expect((await commit(appendOf(1n))).status).toBe(200);
    expect(await metadata()).toHaveProperty('current-snapshot-id', 1);
  });

  test.each(['request-lost', 'late'] as const)(
    'is of unknown state when it is not there: %s',
    async (fault) => {
      const { faulty } = await overFaults();
      await rest.createTable();
      faulty.faults.push(fault);
      const { status, body } = await commit(setProperty('a'));
      expect({ status, type: body.error?.type }).toEqual({
        status: 500,
        type: 'CommitStateUnknownException',
      });
      // Its file stays: the request may arrive yet.
      expect(await metadataFiles()).toHaveLength(2);
      await commit(setProperty('b'));
      const after = await properties();
      expect(after).toHaveProperty('b');
      expect('a' in after).toBe(fault === 'late');
    },
  );

  test('is of unknown state while the catalog cannot be asked, and is found afterwards', async () => {
    const { faulty } = await overFaults();
    await rest.createTable();
    faulty.faults.push('answer-lost');
    faulty.beforeSwap = async () => {
      faulty.down = true;
    };
    expect((await commit(appendOf(7n))).status).toBe(500);
    faulty.down = false;
    expect(await metadata()).toHaveProperty('current-snapshot-id', 7);
  });

  test('and that a proxy sent twice is made once, whatever the second answer says', async () => {
    const { faulty } = await overFaults();
    await rest.createTable();
    faulty.faults.push('sent-twice');
    expect((await commit(appendOf(1n))).status).toBe(200);
    expect(await metadata()).toHaveProperty('snapshots.length', 1);
  });

  test('is tried again when the catalog says that it did nothing', async () => {
    const { faulty } = await overFaults();
    await rest.createTable();
    faulty.faults.push('turned-away', 'turned-away');
    expect((await commit(appendOf(1n))).status).toBe(200);
    expect(await metadataFiles()).toHaveLength(2);
  });

  test('may have made a table', async () => {
    const { faulty } = await overFaults();
    faulty.faults.push('answer-lost');
    expect((await rest.createTable()).status).toBe(200);
    faulty.faults.push('request-lost');
    expect((await rest.createTable({ name: 'more' })).body.error?.type).toBe('CommitStateUnknownException');
    expect((await rest.createTable({ name: 'more' })).status).toBe(200);
  });
});

describe('a transaction', () => {
  const change = (name: string, body: object) => ({ identifier: { namespace: ['raw'], name }, ...body });
  const transact = (...changes: object[]) =>
    rest.ask('POST', '/v1/transactions/commit', { body: { 'table-changes': changes } });
  const current = async (name: string) =>
    (await rest.ask('GET', `/v1/namespaces/raw/tables/${name}`)).body.metadata['current-snapshot-id'];

  test('changes all of its tables or none', async () => {
    rest = await restCatalog();
    await rest.createTable();
    await rest.createTable({ name: 'more' });
    expect((await transact(change('events', appendOf(1n)), change('more', appendOf(2n)))).status).toBe(204);
    expect([await current('events'), await current('more')]).toEqual([1, 2]);

    const half = await transact(
      change('events', appendOf(3n, { parent: 1n, number: 2 })),
      change('more', appendOf(4n, { parent: 9n, number: 2 })),
    );
    expect(half.body.error).toMatchObject({ code: 409, type: 'CommitFailedException' });
    expect([await current('events'), await current('more')]).toEqual([1, 2]);
    expect(await metadataFiles()).toHaveLength(4);
  });

  test('is done again where it was overtaken', async () => {
    const inner = openMemoryCatalog();
    let overtaken = false;
    rest = await restCatalog({
      catalog: {
        ...inner,
        async swapAll(moves) {
          if (!overtaken) {
            overtaken = true;
            await commit(setProperty('first'));
          }
          return inner.swapAll!(moves);
        },
      },
    });
    await rest.createTable();
    await rest.createTable({ name: 'more' });
    expect(
      (await transact(change('events', setProperty('a')), change('more', setProperty('a')))).status,
    ).toBe(204);
    expect(await properties()).toMatchObject({ first: '1', a: '1' });
  });

  test('names each table once, and only tables that are there', async () => {
    rest = await restCatalog();
    await rest.createTable();
    expect(
      (await transact(change('events', setProperty('a')), change('events', setProperty('b')))).status,
    ).toBe(400);
    const missing = await transact(change('events', setProperty('a')), change('none', setProperty('b')));
    expect(missing.body.error?.type).toBe('NoSuchTableException');
    expect(await properties()).not.toHaveProperty('a');
  });

  test('is refused where the catalog moves one pointer at a time, but for one table', async () => {
    const { swapAll: _, ...catalog } = openMemoryCatalog();
    rest = await restCatalog({ catalog });
    await rest.createTable();
    await rest.createTable({ name: 'more' });
    expect(
      (await transact(change('events', setProperty('a')), change('more', setProperty('b')))).status,
    ).toBe(400);
    expect((await transact(change('events', setProperty('a')))).status).toBe(204);
  });
});

test('columns inside of others are numbered as Iceberg numbers them', async () => {
  rest = await restCatalog();
  const place = { type: 'struct', fields: [{ id: 99, name: 'city', required: false, type: 'string' }] };
  const fields = [
    {
      id: 10,
      name: 'places',
      required: false,
      type: { type: 'list', 'element-id': 20, 'element-required': false, element: place },
    },
    {
      id: 30,
      name: 'scores',
      required: false,
      type: {
        type: 'map',
        'key-id': 40,
        key: 'string',
        'value-id': 50,
        'value-required': false,
        value: place,
      },
    },
  ];
  const { body } = await rest.createTable({
    schema: { ...COLUMNS, fields: fields.map((f) => ({ ...f })) },
  });
  expect(body.metadata).toMatchObject({
    'last-column-id': 7,
    schemas: [
      {
        fields: [
          { id: 1, type: { 'element-id': 3, element: { fields: [{ id: 4 }] } } },
          { id: 2, type: { 'key-id': 5, 'value-id': 6, value: { fields: [{ id: 7 }] } } },
        ],
      },
    ],
  });
});
