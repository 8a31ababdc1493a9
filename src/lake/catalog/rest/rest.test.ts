import { describe, expect, test } from 'vitest';
import { answerOf, errorOf, type FakeRestOptions, fakeRest } from '../../../../tests/support/fake-rest.ts';
import { movedClock, SMALL, seeded } from '../../../../tests/support/small-lake.ts';
import { parseJson } from '../../../base/base.ts';
import type { ServiceCatalog, Table } from '../../lake.ts';
import type { Snapshot } from '../../table/metadata.ts';
import type { TableUpdate } from '../../table/table-update.ts';
import { openRestCatalog, type RestCatalogOptions, type TableStorage } from './rest.ts';

const clock = movedClock(Date.UTC(2026, 0, 1));

async function start(service: FakeRestOptions = {}, options: Partial<RestCatalogOptions> = {}) {
  const fake = fakeRest(service);
  const { uri, fetch } = fake;
  const auth = { kind: 'none' } as const;
  const catalog = await openRestCatalog({ uri, fetch, auth, clock, random: seeded(1), ...options });
  return { fake, catalog };
}

async function made(catalog: ServiceCatalog, name = 'raw.events'): Promise<Table> {
  const table = await catalog.createTable(name, SMALL);
  return table === 'exists' ? expect.unreachable('it exists') : table;
}

const BIG = 9_007_199_254_740_993n * 1_000n;

function appendTo({ metadata }: Table, id = BIG): TableUpdate {
  const snapshot: Snapshot = {
    'snapshot-id': id,
    'sequence-number': metadata['last-sequence-number'] + 1,
    'timestamp-ms': metadata['last-updated-ms'] + 1,
    'manifest-list': 'memory://lake/list.avro',
    summary: { operation: 'append' },
  };
  return {
    requirements: [
      { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': metadata['current-snapshot-id'] },
    ],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  };
}

const committed = (answer: Table | 'conflict'): Table =>
  answer === 'conflict' ? expect.unreachable('it conflicts') : answer;

describe('a REST catalog', () => {
  test('goes where the service’s configuration says, with a prefix of several parts', async () => {
    const { fake, catalog } = await start({ prefix: 'catalogs/12%3A34' }, { warehouse: 'my lake/ä' });
    await catalog.loadTable('raw.events');
    expect(fake.requests.map(({ url }) => url.href.slice(fake.uri.length))).toEqual([
      '/v1/config?warehouse=my%20lake%2F%C3%A4',
      '/v1/catalogs/12%3A34/namespaces/raw/tables/events',
    ]);
  });

  test('lets overrides stand above what it was told, and what it was told above defaults', async () => {
    const config = (defaults: object, overrides: object) => ({ config: { defaults, overrides } });
    const pathWith = async (service: FakeRestOptions) => {
      const { fake, catalog } = await start(service, { prefix: 'told' });
      await catalog.loadTable('raw.events');
      return fake.requests.at(-1)!.url.pathname;
    };
    expect(await pathWith(config({ prefix: 'default' }, {}))).toBe('/v1/told/namespaces/raw/tables/events');
    expect(await pathWith(config({}, { prefix: 'over' }))).toBe('/v1/over/namespaces/raw/tables/events');
    const moved = config({}, { uri: 'http://catalog.test/other/', 'namespace-separator': '%2E' });
    expect(await pathWith(moved)).toBe('/other/v1/told/namespaces/raw/tables/events');
  });

  test('says that an address is no catalog’s', async () => {
    const fake = fakeRest();
    for (const answer of [new Response('<html>'), answerOf(200, []), answerOf(200, { hello: 'world' })]) {
      fake.intercept = () => answer;
      const opening = openRestCatalog({ ...fake, auth: { kind: 'none' }, clock, random: seeded(1) });
      await expect(opening).rejects.toMatchObject({ code: 'catalog.bad_answer' });
    }
  });

  test('makes the namespaces that are missing, from the outermost, and the table in them', async () => {
    const { fake, catalog } = await start();
    await made(catalog, 'a.b.events');
    const sent = fake.requests.map(({ method, url }) => `${method} ${url.pathname}`);
    expect(sent).toEqual([
      'GET /v1/config',
      'GET /v1/namespaces/a',
      'POST /v1/namespaces',
      'GET /v1/namespaces/a%1Fb',
      'POST /v1/namespaces',
      'POST /v1/namespaces/a%1Fb/tables',
    ]);
    await made(catalog, 'a.b.more');
    expect(fake.requests.slice(sent.length).map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
    expect(await catalog.createTable('a.b.more', SMALL)).toBe('exists');
  });

  test('makes a table as it was defined, where it was told', async () => {
    const sort = [{ source: 1, transform: 'identity', direction: 'asc', nulls: 'last' }] as const;
    const { fake, catalog } = await start({}, { root: 's3://bucket/lake' });
    const table = await catalog.createTable('raw.events', { ...SMALL, sort, properties: { own: 'yes' } });
    expect(JSON.parse(fake.requests.at(-1)!.body)).toMatchObject({
      name: 'events',
      location: 's3://bucket/lake/raw/events',
      'stage-create': false,
      properties: { own: 'yes', 'format-version': '2' },
    });
    expect(table).toMatchObject({
      name: 'raw.events',
      metadata: {
        location: 's3://bucket/lake/raw/events',
        schemas: [{ fields: SMALL.schema.fields }],
        'partition-specs': [
          { fields: SMALL.partition.map(({ id, source }) => ({ 'field-id': id, 'source-id': source })) },
        ],
        'sort-orders': [{ fields: [{ 'source-id': 1, 'null-order': 'nulls-last' }] }],
        'current-snapshot-id': null,
      },
    });
  });

  test('tells the service where a table is to lie, unless it chooses that itself', async () => {
    const locationAsked = async (options: Partial<RestCatalogOptions>) => {
      const { fake, catalog } = await start({}, options);
      await catalog.createTable('raw.events', SMALL, 's3://bucket/lake/raw/events-2');
      return JSON.parse(fake.requests.at(-1)!.body).location;
    };
    expect(await locationAsked({ root: 's3://bucket/lake' })).toBe('s3://bucket/lake/raw/events-2');
    expect(await locationAsked({})).toBeUndefined();
  });

  test('refuses a table whose columns the service numbered its own way, and leaves none behind', async () => {
    const { fake, catalog } = await start({ firstId: 3 });
    await expect(catalog.createTable('raw.events', SMALL)).rejects.toMatchObject({
      code: 'catalog.renumbered',
      why: expect.stringContaining('3 id string!'),
      hint: expect.stringContaining('was dropped'),
    });
    expect(fake.tables.size).toBe(0);
  });

  test('says so when it cannot drop such a table', async () => {
    const { fake, catalog } = await start({ firstId: 3 });
    fake.intercept = ({ method }) => (method === 'DELETE' ? 403 : undefined);
    await expect(catalog.createTable('raw.events', SMALL)).rejects.toMatchObject({
      code: 'catalog.renumbered',
      hint: expect.stringMatching(/^drop the empty table/),
    });
  });

  test('keeps every digit of a snapshot id, both ways', async () => {
    const { fake, catalog } = await start();
    const first = committed(await catalog.update('raw.events', appendTo(await made(catalog))));
    expect(first.metadata['current-snapshot-id']).toBe(BIG);
    const second = committed(await catalog.update('raw.events', appendTo(first, BIG + 1n)));
    expect(second.metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual([BIG, BIG + 1n]);
    expect(fake.requests.at(-1)!.body).toContain(`"snapshot-id":${BIG}}`);
    expect(fake.requests.at(-1)!.body).toContain(`"snapshot-id":${BIG + 1n}`);
    expect((await catalog.loadTable('raw.events'))!.metadata).toEqual(second.metadata);
  });

  test('says conflict when a requirement does not hold', async () => {
    const { catalog } = await start();
    const table = await made(catalog);
    await catalog.update('raw.events', appendTo(table));
    expect(await catalog.update('raw.events', appendTo(table, 2n))).toBe('conflict');
  });

  test('fetches a table again only when it has changed', async () => {
    const { fake, catalog } = await start({ etags: true });
    await made(catalog);
    const table = (await catalog.loadTable('raw.events'))!;
    expect(await catalog.loadTable('raw.events', table)).toBe(table);
    expect(fake.requests.at(-1)!.headers['if-none-match']).toBe(`W/"${table.metadataLocation}"`);
    await catalog.update('raw.events', appendTo(table));
    const next = (await catalog.loadTable('raw.events', table))!;
    expect(next.metadata['current-snapshot-id']).toBe(BIG);
    // For a version that was not loaded from here there is no etag to show.
    expect((await catalog.loadTable('raw.events', table))!.metadata).toEqual(next.metadata);
    expect(fake.requests.at(-1)!.headers).not.toHaveProperty('if-none-match');
  });

  test('knows a version again where the service has no etags', async () => {
    const { catalog } = await start();
    const table = await made(catalog);
    expect(await catalog.loadTable('raw.events', table)).toBe(table);
  });

  test.each([{ flat: true }, { pageSize: 1 }, { pageSize: 2 }])('lists all tables: %j', async (service) => {
    const { catalog } = await start(service);
    const names = ['a.one', 'a.two', 'b.one', ...('flat' in service ? [] : ['a.deep.one', 'a.deep.two'])];
    for (const name of names) await made(catalog, name);
    expect(await catalog.list()).toEqual(names.toSorted());
  });

  test('gives up on a listing without an end', async () => {
    const { fake, catalog } = await start();
    fake.intercept = () => answerOf(200, { namespaces: [], 'next-page-token': 'again' });
    await expect(catalog.list()).rejects.toMatchObject({ code: 'catalog.too_many' });
  });

  test('gives each commit a key of its own where the service takes keys', async () => {
    const { fake, catalog } = await start({ config: { 'idempotency-key-lifetime': 'PT30M' } });
    const table = await made(catalog);
    await catalog.update('raw.events', appendTo(table));
    await catalog.update('raw.events', appendTo(table));
    const keys = fake.requests.slice(-2).map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(new Set(keys).size).toBe(2);

    const without = await start();
    await without.catalog.update('raw.events', appendTo(await made(without.catalog)));
    expect(without.fake.requests.at(-1)!.headers).not.toHaveProperty('idempotency-key');
  });

  test('hands on the credentials that the service lends, anew with every load', async () => {
    const seen: TableStorage[] = [];
    const config = { 's3.endpoint': 'http://s3.test' };
    const lent = { prefix: 's3://bucket/lake', config: { 's3.access-key-id': 'lent' } };
    const storage = { config: { ...config, 'not-text': 1 }, 'storage-credentials': [lent, 'nonsense'] };
    const { fake, catalog } = await start(
      { etags: true, storage },
      { onStorage: (each) => void seen.push(each) },
    );
    const table = await made(catalog);
    await catalog.loadTable('raw.events', await catalog.loadTable('raw.events', table));
    const { location } = table.metadata;
    expect(seen).toEqual(Array(3).fill({ table: 'raw.events', location, config, credentials: [lent] }));
    expect(fake.requests.at(-1)!.headers).toMatchObject({
      'x-iceberg-access-delegation': 'vended-credentials',
    });
    const without = await start();
    expect(without.fake.requests[0]!.headers).not.toHaveProperty('x-iceberg-access-delegation');
  });

  test('sends the headers that it was given', async () => {
    const { fake } = await start({}, { headers: { 'x-project': 'p' } });
    expect(fake.requests[0]!.headers).toMatchObject({ 'x-project': 'p', accept: 'application/json' });
  });
});

describe('a REST catalog, of a commit that was made,', () => {
  const answers: [string, Response][] = [
    ['that is cut off', new Response('{"metadata-location": "memory://la')],
    ['that is empty', answerOf(204)],
    ['without metadata', answerOf(200, { 'metadata-location': 'memory://lake/m.json' })],
    [
      'of a format that we do not know',
      answerOf(200, { 'metadata-location': 'memory://lake/m.json', metadata: { 'format-version': 9 } }),
    ],
  ];

  test.each(answers)('takes an answer %s for an uncertain one', async (_name, answer) => {
    const { fake, catalog } = await start();
    const table = await made(catalog);
    fake.intercept = () => answer;
    await expect(catalog.update('raw.events', appendTo(table))).rejects.toMatchObject({
      code: 'catalog.unknown',
      retry: 'refresh',
    });
  });

  test('reads a body that is JSON of any depth without harm to what it does not know', async () => {
    const { fake, catalog } = await start();
    const table = await made(catalog);
    const kept = parseJson('{"deep": [{"id": 9223372036854775807}]}');
    fake.tables.get('raw.events')!.metadata['x-of-others'] = kept;
    const next = committed(await catalog.update('raw.events', appendTo(table)));
    expect(next.metadata).toMatchObject({ 'x-of-others': { deep: [{ id: 9223372036854775807n }] } });
  });
});

test('a refusal names what was attempted and what the service said', async () => {
  const { fake, catalog } = await start();
  fake.intercept = () => errorOf(403, 'ForbiddenException');
  await expect(catalog.loadTable('raw.events')).rejects.toMatchObject({
    message: 'cannot load the table raw.events: it is not allowed',
    why: '403 ForbiddenException the fake says 403',
  });
  fake.intercept = () => answerOf(403, { Message: 'The security token is not valid' });
  await expect(catalog.loadTable('raw.events')).rejects.toMatchObject({
    why: '403 The security token is not valid',
  });
});
