import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  appendOf,
  COLUMNS,
  EVENTS,
  type RestCatalog,
  restCatalog,
} from '../../../tests/support/rest-catalog.ts';
import { SMALL, smallLake } from '../../../tests/support/small-lake.ts';
import { openBucketCatalog } from '../lake.ts';

let rest: RestCatalog;
beforeEach(async () => {
  rest = await restCatalog();
});
afterEach(() => rest.close());

const get = (path: string, headers?: Record<string, string>) =>
  rest.ask('GET', path, { ...(headers && { headers }) });
const post = (path: string, body: unknown) => rest.ask('POST', path, { body });
const status = async (method: string, path: string, body?: unknown) =>
  (await rest.ask(method, path, { body })).status;

describe('what the server says of itself', () => {
  test('names every endpoint that it has', async () => {
    const { body } = await get('/v1/config?warehouse=any');
    expect(body).toMatchObject({ defaults: {}, overrides: {} });
    expect(body.endpoints).toContain('POST /v1/{prefix}/namespaces/{namespace}/tables/{table}');
    expect(body.endpoints).toContain('POST /v1/{prefix}/transactions/commit');
    expect(JSON.stringify(body)).not.toContain('view');
  });

  test('refuses who wants another warehouse', async () => {
    await rest.close();
    rest = await restCatalog({ warehouse: 'lake' });
    expect((await get('/v1/config?warehouse=lake')).status).toBe(200);
    expect((await get('/v1/config')).status).toBe(200);
    expect((await get('/v1/config?warehouse=sea')).body.error).toMatchObject({
      type: 'NoSuchWarehouseException',
    });
  });

  test('says when its port is taken, and how to choose another', async () => {
    const port = Number(new URL(rest.uri).port);
    await expect(restCatalog({ port })).rejects.toMatchObject({
      code: 'catalog_server.port_taken',
      hint: expect.stringContaining('--serve-port'),
    });
  });

  test('leaves transactions out where the catalog moves one pointer at a time', async () => {
    await rest.close();
    const { swapAll: _, ...catalog } = rest.catalog;
    rest = await restCatalog({ catalog });
    expect((await get('/v1/config')).text).not.toContain('transactions');
  });
});

describe('a request that makes no sense', () => {
  test.each([
    ['GET', '/v1/nothing'],
    ['PUT', '/v1/namespaces'],
    ['GET', '/'],
    ['GET', '/v1/namespaces/raw/views'],
  ])('%s %s is to no endpoint', async (method, path) => {
    const { status, body } = await rest.ask(method, path);
    expect({ status, type: body.error?.type }).toEqual({ status: 404, type: 'NotFoundException' });
  });

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['no object', []],
    ['without its members', {}],
    ['with a member of another kind', { namespace: 'raw' }],
    ['with a name that has a dot', { namespace: ['a.b'] }],
    ['with an empty name', { namespace: [''] }],
    ['with a control character', { namespace: ['a\u0007'] }],
    ['with no levels', { namespace: [] }],
    ['with a property that is no text', { namespace: ['raw'], properties: { a: 1 } }],
  ])('is a bad request: %s', async (_what, body) => {
    const answer = await post('/v1/namespaces', body);
    expect(answer.body.error).toMatchObject({ code: 400, type: 'BadRequestException' });
  });

  test('is a bad request when its path is not encoded as it has to be', async () => {
    expect(await status('GET', '/v1/namespaces/%zz')).toBe(400);
  });

  test('is not read to its end when it is too large, and the next one is answered', async () => {
    expect(await status('POST', '/v1/namespaces', `"${'x'.repeat(33 * 1024 * 1024)}"`)).toBe(413);
    expect(await status('GET', '/v1/config')).toBe(200);
  });
});

describe('namespaces', () => {
  test('have levels, and are listed by their parent', async () => {
    for (const namespace of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['z']])
      await post('/v1/namespaces', { namespace });
    expect((await get('/v1/namespaces')).body).toMatchObject({ namespaces: [['a'], ['z']] });
    expect((await get('/v1/namespaces?parent=a')).body).toMatchObject({ namespaces: [['a', 'b']] });
    expect((await get('/v1/namespaces?parent=a%1Fb')).body).toMatchObject({ namespaces: [['a', 'b', 'c']] });
    expect((await get('/v1/namespaces?parent=q')).status).toBe(404);
    expect((await get('/v1/namespaces/a%1Fb')).body).toEqual({ namespace: ['a', 'b'], properties: {} });
    expect(await status('DELETE', '/v1/namespaces/a')).toBe(409);
    expect(await status('DELETE', '/v1/namespaces/a%1Fb%1Fc')).toBe(204);
    expect(await status('DELETE', '/v1/namespaces/a%1Fb%1Fc')).toBe(404);
  });

  test('come in pages that lose and repeat none', async () => {
    const names = Array.from({ length: 7 }, (_, at) => `n${at}`);
    for (const name of names) await post('/v1/namespaces', { namespace: [name] });
    const seen: string[] = [];
    let token: string | null = '';
    while (token !== null) {
      const { body } = await get(`/v1/namespaces?pageSize=3&pageToken=${token}`);
      seen.push(...body.namespaces.map(([name]) => name!));
      token = body['next-page-token'];
      // One that was seen goes away in between.
      await status('DELETE', '/v1/namespaces/n0');
    }
    expect(seen).toEqual(names);
    expect(await status('GET', '/v1/namespaces?pageSize=0')).toBe(400);
  });

  test('are made, found, changed and dropped, each once', async () => {
    expect(await status('HEAD', '/v1/namespaces/raw')).toBe(404);
    expect(
      await status('POST', '/v1/namespaces', { namespace: ['raw'], properties: { a: '1', b: '2' } }),
    ).toBe(200);
    expect((await post('/v1/namespaces', { namespace: ['raw'] })).body.error?.type).toBe(
      'AlreadyExistsException',
    );
    expect(await status('HEAD', '/v1/namespaces/raw')).toBe(204);
    const change = await post('/v1/namespaces/raw/properties', { updates: { c: '3' }, removals: ['a', 'x'] });
    expect(change.body).toEqual({ updated: ['c'], removed: ['a'], missing: ['x'] });
    expect((await get('/v1/namespaces/raw')).body).toMatchObject({ properties: { b: '2', c: '3' } });
    const both = { updates: { c: '3' }, removals: ['c'] };
    expect(await status('POST', '/v1/namespaces/raw/properties', both)).toBe(422);
    await rest.createTable();
    expect((await rest.ask('DELETE', '/v1/namespaces/raw')).body.error).toMatchObject({
      code: 409,
      type: 'NamespaceNotEmptyException',
    });
  });
});

describe('tables', () => {
  test('are made with columns numbered anew, in a folder of their own', async () => {
    const { status, body } = await rest.createTable({
      schema: { ...COLUMNS, fields: COLUMNS.fields.map((field) => ({ ...field, id: field.id + 10 })) },
      'partition-spec': { fields: [{ name: 'kind', transform: 'identity', 'source-id': 12, 'field-id': 7 }] },
      'write-order': {
        'order-id': 5,
        fields: [{ transform: 'identity', 'source-id': 11, direction: 'asc', 'null-order': 'nulls-first' }],
      },
      properties: { 'format-version': '2', owner: 'me' },
    });
    expect(status).toBe(200);
    expect(body.metadata).toMatchObject({
      location: 'memory://lake/raw/events',
      'last-column-id': 2,
      schemas: [{ fields: [{ id: 1 }, { id: 2 }] }],
      'partition-specs': [{ 'spec-id': 0, fields: [{ 'source-id': 2, 'field-id': 1000 }] }],
      'sort-orders': [{ 'order-id': 1, fields: [{ 'source-id': 1 }] }],
      properties: { owner: 'me', 'write.parquet.compression-codec': 'zstd' },
    });
    expect(body.metadata).not.toHaveProperty('properties.format-version');
    expect(await rest.catalog.load('raw.events')).toEqual({ metadataLocation: body['metadata-location'] });
  });

  test('are made in a namespace that is there, and once', async () => {
    const body = { name: 'events', schema: COLUMNS };
    expect((await post('/v1/namespaces/raw/tables', body)).body.error?.type).toBe('NoSuchNamespaceException');
    await rest.createTable();
    expect((await rest.createTable()).body.error).toMatchObject({
      code: 409,
      type: 'AlreadyExistsException',
    });
  });

  test('never share a folder, whatever happened to an older one of the name', async () => {
    const first = (await rest.createTable()).body.metadata;
    await post('/v1/tables/rename', {
      source: { namespace: ['raw'], name: 'events' },
      destination: { namespace: ['raw'], name: 'old' },
    });
    const second = (await rest.createTable()).body.metadata;
    expect(second.location).toMatch(/^memory:\/\/lake\/raw\/events-[0-9a-f-]{36}$/);
    expect(first.location).toBe('memory://lake/raw/events');
    const odd = await rest.createTable({ name: 'a/b ü' });
    expect(odd.body.metadata).toMatchObject({
      location: expect.stringMatching(/^memory:\/\/lake\/raw\/a_b__-[0-9a-f-]{36}$/),
    });
    expect(await status('HEAD', '/v1/namespaces/raw/tables/a%2Fb%20%C3%BC')).toBe(204);
    expect(await status('HEAD', '/v1/namespaces/raw/tables/a%2Fb+%C3%BC')).toBe(204);
  });

  test.each([
    'memory://other/place',
    's3://bucket/x',
    'memory://lake',
    'memory://lake/../x',
    'memory://lakes/x',
  ])('lie in the warehouse, whatever place is asked for: %s', async (location) => {
    expect((await rest.createTable({ location })).body.metadata).toMatchObject({
      location: 'memory://lake/raw/events',
    });
    const moved = await post(EVENTS, { updates: [{ action: 'set-location', location }] });
    expect(moved.body.metadata).toMatchObject({ location: 'memory://lake/raw/events' });
  });

  test('lie where they were asked to be inside of the warehouse', async () => {
    const { body } = await rest.createTable({ location: 'memory://lake/else/where/' });
    expect(body.metadata).toMatchObject({ location: 'memory://lake/else/where' });
    expect(body['metadata-location']).toMatch(/^memory:\/\/lake\/else\/where\/metadata\/00000-/);
  });

  test('that are staged are nowhere until they are committed, once', async () => {
    const { body } = await rest.createTable({ 'stage-create': true });
    expect(body).not.toHaveProperty('metadata-location');
    expect(await status('HEAD', EVENTS)).toBe(404);
    expect(await rest.locations()).toEqual([]);
    const staged = body.metadata;
    const commit = {
      requirements: [{ type: 'assert-create' }],
      updates: [
        { action: 'assign-uuid', uuid: staged['table-uuid'] },
        { action: 'add-schema', schema: staged.schemas[0] },
        { action: 'set-current-schema', 'schema-id': -1 },
        { action: 'add-spec', spec: { fields: [] } },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': { fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
        { action: 'set-location', location: staged.location },
        ...appendOf(5n).updates,
      ],
    };
    const made = await post(EVENTS, commit);
    expect(made.body.metadata).toMatchObject({
      'table-uuid': staged['table-uuid'],
      location: staged.location,
      'current-snapshot-id': 5,
    });
    expect((await post(EVENTS, commit)).body.error).toMatchObject({
      code: 409,
      type: 'AlreadyExistsException',
    });
  });

  test('are listed by namespace, not with those further in', async () => {
    for (const namespace of [['raw'], ['raw', 'in']]) await post('/v1/namespaces', { namespace });
    for (const name of ['b', 'a', 'c']) await rest.createTable({ name });
    await post('/v1/namespaces/raw%1Fin/tables', { name: 'd', schema: COLUMNS });
    const page = await get('/v1/namespaces/raw/tables?pageSize=2');
    expect(page.body.identifiers).toEqual([
      { namespace: ['raw'], name: 'a' },
      { namespace: ['raw'], name: 'b' },
    ]);
    const next = await get(`/v1/namespaces/raw/tables?pageSize=2&pageToken=${page.body['next-page-token']}`);
    expect(next.body).toEqual({ identifiers: [{ namespace: ['raw'], name: 'c' }], 'next-page-token': null });
    expect((await get('/v1/namespaces/none/tables')).body.error?.type).toBe('NoSuchNamespaceException');
  });

  test('keep snapshot ids of 63 bits, in and out', async () => {
    await rest.createTable();
    const [first, second] = [9_109_999_991_276_526_987n, 3_051_729_675_574_597_004n];
    await post(EVENTS, appendOf(first));
    const { text } = await post(EVENTS, appendOf(second, { parent: first, number: 2 }));
    expect(text).toContain(`"current-snapshot-id":${second}`);
    expect(text).toContain(`"parent-snapshot-id":${first}`);
    expect((await get(EVENTS)).text).toContain(`"snapshot-id":${first}`);
    const off = appendOf(1n, { parent: second + 1n, number: 3 });
    expect((await post(EVENTS, off)).body.error).toMatchObject({ code: 409, type: 'CommitFailedException' });
  });

  test('are loaded again only when they changed, and with as few snapshots as asked for', async () => {
    await rest.createTable();
    await post(EVENTS, appendOf(1n));
    await post(EVENTS, appendOf(2n, { parent: 1n, number: 2 }));
    const all = await get(EVENTS);
    const etag = all.headers.get('etag') ?? '';
    expect(await get(EVENTS, { 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
    const refs = await get(`${EVENTS}?snapshots=refs`, { 'if-none-match': etag });
    expect(refs.status).toBe(200);
    expect(refs.body.metadata).toMatchObject({ snapshots: [{ 'snapshot-id': 2 }] });
    expect((await get(`${EVENTS}?snapshots=some`)).status).toBe(400);
    await post(EVENTS, { updates: [{ action: 'set-properties', updates: { a: '1' } }] });
    expect((await get(EVENTS, { 'if-none-match': etag })).status).toBe(200);
  });

  test('say how their files are reached, and are loaded again when that changed', async () => {
    let key = 'first';
    await rest.close();
    rest = await restCatalog({ fileAccess: async () => ({ 's3.access-key-id': key }) });
    const made = await rest.createTable();
    const { headers, body } = await get(EVENTS);
    for (const each of [made.body, body])
      expect(each).toMatchObject({ config: { 's3.access-key-id': 'first' } });
    const known = { 'if-none-match': headers.get('etag') ?? '' };
    expect((await get(EVENTS, known)).status).toBe(304);
    key = 'renewed';
    expect((await get(EVENTS, known)).body).toMatchObject({ config: { 's3.access-key-id': 'renewed' } });
  });

  test('are neither renamed nor changed together where the catalog cannot, and the server says so', async () => {
    await rest.close();
    const { store, clock } = rest;
    rest = await restCatalog({
      store,
      catalog: await openBucketCatalog({ store, clock, random: Math.random }),
    });
    await rest.createTable();
    const [from, to] = ['events', 'other'].map((name) => ({ namespace: ['raw'], name }));
    expect(await status('POST', '/v1/tables/rename', { source: from, destination: to })).toBe(406);
    const changes = [from, to].map((identifier) => ({ identifier, requirements: [], updates: [] }));
    expect(await status('POST', '/v1/transactions/commit', { 'table-changes': changes })).toBe(400);
    const { endpoints } = (await get('/v1/config')).body;
    expect(endpoints.filter((each) => /rename|transactions/.test(each))).toEqual([]);
    expect(await status('HEAD', EVENTS)).toBe(204);
  });

  test('that are not there are told apart from endpoints and namespaces that are not', async () => {
    await rest.createTable();
    for (const path of ['/v1/namespaces/raw/tables/none', '/v1/namespaces/raw%1Fevents/tables/snapshots'])
      expect((await get(path)).body.error).toMatchObject({ code: 404, type: 'NoSuchTableException' });
    expect(await status('POST', '/v1/namespaces/raw/tables/none', { updates: [] })).toBe(404);
    expect(await status('DELETE', '/v1/namespaces/raw/tables/none')).toBe(404);
  });

  test('are renamed, never over another one, never into nowhere', async () => {
    await rest.createTable();
    await rest.createTable({ name: 'more' });
    const renamed = (from: string, to: string[]) =>
      post('/v1/tables/rename', {
        source: { namespace: ['raw'], name: from },
        destination: { namespace: to.slice(0, -1), name: to.at(-1) },
      });
    expect((await renamed('events', ['raw', 'more'])).body.error?.type).toBe('AlreadyExistsException');
    expect((await renamed('events', ['none', 'events'])).body.error?.type).toBe('NoSuchNamespaceException');
    expect((await renamed('none', ['raw', 'x'])).body.error?.type).toBe('NoSuchTableException');
    expect((await renamed('events', ['raw', 'old'])).status).toBe(204);
    expect((await get('/v1/namespaces/raw/tables/old')).body.metadata).toMatchObject({
      'format-version': 2,
    });
  });

  test('are dropped with or without their files', async () => {
    const files = async () => (await rest.locations()).length;
    await rest.createTable();
    expect(await status('DELETE', `${EVENTS}?purgeRequested=false`)).toBe(204);
    expect(await files()).toBe(1);
    await rest.createTable();
    expect(await status('DELETE', `${EVENTS}?purgeRequested=true`)).toBe(204);
    expect(await files()).toBe(1);
    expect(await status('HEAD', EVENTS)).toBe(404);
  });

  test('are registered from their metadata file, over another only when that is asked for', async () => {
    const { body } = await rest.createTable();
    const location = body['metadata-location'];
    await rest.ask('DELETE', EVENTS);
    const register = (more: object) => post('/v1/namespaces/raw/register', { name: 'again', ...more });
    expect((await register({ 'metadata-location': 's3://other/m.json' })).status).toBe(400);
    expect((await register({ 'metadata-location': `${rest.store.root}/none.json` })).status).toBe(404);
    expect((await register({ 'metadata-location': location })).body.metadata).toEqual(body.metadata);
    expect((await register({ 'metadata-location': location })).status).toBe(409);
    expect((await register({ 'metadata-location': location, overwrite: true })).status).toBe(200);
  });

  test('take the reports that clients send of their scans', async () => {
    await rest.createTable();
    expect(await status('POST', `${EVENTS}/metrics`, { 'report-type': 'scan-report' })).toBe(204);
  });
});

describe('a table of Lakeward', () => {
  test('is served as it is, and purged with all its files and no others', async () => {
    const small = smallLake({ store: rest.store, catalog: rest.catalog, clock: rest.clock });
    const first = { commitId: 'first', stage: () => ({ summary: {}, properties: {} }) };
    const table = await small.lake.create('raw.small', SMALL, first);
    const file = small.lake.newFileLocation(table);
    await rest.store.write(file, new Uint8Array(1));
    const foreign = `${table.metadata.location}/not-ours.txt`;
    await rest.store.write(foreign, new Uint8Array(1));
    const data = {
      ...{ location: file, specId: 0, partition: [1, 'a'], recordCount: 1, fileSize: 1, sortOrderId: 0 },
      ...{
        columnSizes: new Map(),
        valueCounts: new Map(),
        nullValueCounts: new Map(),
        nanValueCounts: new Map(),
      },
      ...{ lowerBounds: new Map(), upperBounds: new Map(), splitOffsets: [4] },
    };
    const manifests = await small.lake.prepare(table, [data]);
    const change = { commitId: 'second', operation: 'append' as const, manifests, stage: first.stage };
    const outcome = await small.lake.commit(table, change);
    expect((await get('/v1/namespaces/raw/tables/small')).body['metadata-location']).toBe(
      outcome.table.metadataLocation,
    );
    await rest.ask('DELETE', '/v1/namespaces/raw/tables/small?purgeRequested=true');
    expect(await rest.locations()).toEqual([foreign]);
  });

  test('keeps what others set for main: how long its snapshots stay', async () => {
    const small = smallLake({ store: rest.store, catalog: rest.catalog, clock: rest.clock });
    const stage = () => ({ summary: {}, properties: {} });
    const table = await small.lake.create('raw.small', SMALL, { commitId: 'first', stage });
    const id = table.metadata['current-snapshot-id'];
    const ref = { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id };
    await post('/v1/namespaces/raw/tables/small', { updates: [{ ...ref, 'min-snapshots-to-keep': 7 }] });
    const base = (await small.lake.load('raw.small'))!;
    const next = await small.lake.commit(base, {
      commitId: 'next',
      operation: 'append',
      manifests: [],
      stage,
    });
    expect(next.table.metadata.refs['main']).toMatchObject({ 'min-snapshots-to-keep': 7 });
  });
});

describe('the end', () => {
  test('lets a request under way finish, and takes no new ones', async () => {
    const { port } = new URL(rest.uri);
    const socket = connect(Number(port), '127.0.0.1');
    const answered = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    const body = JSON.stringify({ namespace: ['late'] });
    const head = `POST /v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(`${head}${body.slice(0, 5)}`, () => resolve()));
    await rest.ask('GET', '/v1/config');
    const closed = rest.close();
    socket.write(body.slice(5));
    await closed;
    expect(await answered).toMatch(/^HTTP\/1.1 200 /);
    expect(await rest.catalog.listNamespaces()).toEqual(['late']);
    await expect(rest.ask('GET', '/v1/config')).rejects.toThrow();
    rest = await restCatalog();
  });
});
