import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { currentId, editTable, foreignSnapshot, loaded } from '../../tests/support/edited-table.ts';
import { ScriptedStream } from '../../tests/support/scripted-stream.ts';
import { lakeFolder, openWorker, type Worker } from '../../tests/support/worker.ts';
import { storeFiles } from '../engine/engine.ts';
import type { DataFile, Table, TableMetadata } from '../lake/lake.ts';
import { openQuery, type Query } from './query.ts';

interface Asked {
  worker: Worker;
  query: Query;
  folder: string;
}

/** A lake whose raw table got one commit for each batch of bodies, and staging what was distinct. */
async function lakeOf(...batches: (readonly string[])[]): Promise<Asked> {
  const folder = await lakeFolder();
  const stream = new ScriptedStream();
  const worker = await openWorker({ folder, stream });
  for (const bodies of batches) {
    stream.put(bodies);
    await worker.process();
  }
  await worker.stage();
  return { worker, folder, query: openQuery(worker) };
}

const at = (day: number, hour = 0): number => Date.UTC(2026, 0, day, hour) / 1000;
let next = 0;
const event = (name: string, created_at: number, more: object = {}): string =>
  JSON.stringify({ event_uuid: `e${++next}`, event_name: name, created_at, ...more });

/** Three days in a commit each, two types on each day. */
const threeDays = () =>
  lakeOf(
    ...[3, 4, 5].map((day) => [
      event('lesson:started', at(day, 1)),
      event('lesson:ended', at(day, 2)),
      event('payment:order:completed', at(day, 23)),
    ]),
  );

const failure = (code: string, fault = 'user') => expect.objectContaining({ name: 'Failure', code, fault });

describe('a question opens only what it needs', () => {
  it('by day, by type, by both and by what a file says of its columns', async () => {
    const { query } = await threeDays();
    for (const [where, count, files, opened] of [
      ["created_datetime::date = '2026-01-04'", 3, 2, 1],
      ["created_datetime >= '2026-01-04' and created_datetime < '2026-01-05'", 3, 2, 1],
      ["created_datetime > '2026-01-04 12:00' and event_type = 'lesson'", 2, 1, 2],
      ["date_trunc('month', created_datetime) = '2026-02-01'", 0, 0, 0],
      ["event_type = 'payment'", 3, 3, 3],
      ["event_type in ('payment', 'account') and created_datetime > '2026-01-05'", 1, 1, 1],
      ["event_type = 'zebra'", 0, 0, 0],
      ["event_name like 'payment:%'", 3, 3, 3],
      ['true', 9, 6, 3],
    ] as const) {
      const { rows, planned } = await query.all(`select count(*) as n from raw.events where ${where}`);
      expect({ where, rows, tables: planned.tables }).toEqual({
        where,
        rows: [{ n: count }],
        tables: [
          expect.objectContaining({
            view: 'raw.events',
            of: 6,
            files,
            manifests: expect.objectContaining({ opened }),
          }),
        ],
      });
    }
  });

  it('reads the files of either scan when a table is read twice', async () => {
    const { query } = await threeDays();
    const { rows, planned } = await query.all(`
      select (select count(*) from raw.events where event_type = 'payment' and created_datetime::date = '2026-01-03') as a,
        (select count(*) from raw.events where event_type = 'lesson' and created_datetime::date = '2026-01-05') as b`);
    expect(rows).toEqual([{ a: 1, b: 2 }]);
    expect(planned.tables.map(({ files }) => files)).toEqual([2]);
  });

  it('names no file of a table that it does not read', async () => {
    const { query } = await threeDays();
    expect((await query.all('select 1 as one')).planned.tables).toEqual([]);
    expect(
      (await query.all('select count(*) from staging.events')).planned.tables.map((t) => t.view),
    ).toEqual(['staging.events']);
  });

  it('sees what was committed since the last question', async () => {
    const { worker, query } = await lakeOf([event('a:b', at(3))]);
    const count = async () => (await query.all('select count(*) as n from raw.events')).rows[0]!['n'];
    expect(await count()).toBe(1);
    (worker.options().stream as ScriptedStream).put([event('a:b', at(3))]);
    await worker.process();
    expect(await count()).toBe(2);
  });
});

describe('what stands in a file', () => {
  it('is the answer, not what the path of the file makes of it', async () => {
    const types = ['a/b', '007', 'x'.repeat(80), 'Ünï 日本', "it's", '*', 'null'];
    const { query } = await lakeOf(types.map((type) => event(`${type}:x`, at(3))));
    for (const table of ['raw.events', 'staging.events']) {
      const { rows } = await query.all(`select event_type from ${table} order by event_name`);
      expect(rows.map((row) => row['event_type'])).toEqual(
        types.toSorted((a, b) => Buffer.compare(Buffer.from(`${a}:x`), Buffer.from(`${b}:x`))),
      );
    }
    for (const type of types) {
      const quoted = `'${type.replaceAll("'", "''")}'`;
      const { rows, planned } = await query.all(
        `select event_type from staging.events where event_type = ${quoted}`,
      );
      expect(rows).toEqual([{ event_type: type }]);
      expect(planned.tables[0]!.files).toBe(1);
    }
  });

  it('is read in a folder whose name is a pattern', async () => {
    const folder = join(await lakeFolder(), 'a*b [1] c?');
    const stream = new ScriptedStream();
    const worker = await openWorker({ folder, stream });
    stream.put([event('a:b', at(3)), event('a:b', at(4))]);
    await worker.process();
    await worker.stage();
    expect((await openQuery(worker).all('select count(*) as n from staging.events')).rows).toEqual([
      { n: 2 },
    ]);
  });
});

describe('an empty lake', () => {
  it('has our tables, empty, with their columns', async () => {
    const folder = await lakeFolder();
    const worker = await openWorker({ folder, stream: new ScriptedStream() });
    const query = openQuery(worker);
    for (const table of ['raw.events', 'staging.events']) {
      const { rows } = await query.all(`describe ${table}`);
      expect(rows.map((row) => [row['column_name'], row['column_type']])).toEqual([
        ['event_uuid', 'VARCHAR'],
        ['event_name', 'VARCHAR'],
        ['event_type', 'VARCHAR'],
        ['event_subtype', 'VARCHAR'],
        ['created_at', 'DOUBLE'],
        ['created_datetime', 'TIMESTAMP WITH TIME ZONE'],
        ['document', 'VARCHAR'],
        ['arrived_at', 'TIMESTAMP WITH TIME ZONE'],
        ['shard_id', 'VARCHAR'],
        ['sequence_number', 'VARCHAR'],
        ['subsequence_number', 'INTEGER'],
        ['stream', 'VARCHAR'],
      ]);
    }
    const { rows } = await query.all(
      'select count(*) as n, max(octet_length(bytes)) as m from quarantine.events',
    );
    expect(rows).toEqual([{ n: 0, m: null }]);
  });
});

describe('what is asked', () => {
  it('may be a PIVOT over the values that are there', async () => {
    const { query } = await lakeOf([event('lesson:started', at(3)), event('payment:done', at(3))]);
    const { rows } = await query.all(
      'pivot (select event_type from staging.events) on event_type using count(*)',
    );
    expect(rows).toEqual([{ lesson: 1, payment: 1 }]);
  });

  it('is refused when it is no question, and the tables stay as they are', async () => {
    const { query, folder } = await lakeOf([event('lesson:started', at(3))]);
    const answer = join(folder, 'answer');
    for (const sql of [
      'drop view raw.events',
      "create or replace view raw.events as select 'mine'",
      `copy raw.events to '${answer}'`,
      'select 1; select 2',
    ]) {
      await expect(query.all(sql)).rejects.toEqual(failure('query.not_a_question'));
    }
    expect(await readdir(folder)).not.toContain('answer');
    expect((await query.all('select count(*) as n from raw.events')).rows).toEqual([{ n: 1 }]);
  });

  it('is a mistake of the asker when the engine cannot answer it', async () => {
    const { query } = await lakeOf([event('lesson:started', at(3))]);
    await expect(query.all('select event_name::int from staging.events')).rejects.toEqual(
      failure('query.failed'),
    );
  });

  it('is interrupted by its signal, and the next question is answered', async () => {
    const { query } = await lakeOf([event('lesson:started', at(3))]);
    const endless = 'select count(*) from raw.events, range(100000000000) r(i) where hash(i) % 7 = 3';
    await expect(query.all(endless, { signal: AbortSignal.timeout(20) })).rejects.toEqual(
      failure('query.interrupted'),
    );
    expect((await query.all('select count(*) as n from raw.events')).rows).toEqual([{ n: 1 }]);
  });
});

describe('questions at the same time', () => {
  it('are each answered over their own files', async () => {
    const { query } = await threeDays();
    const days = Array.from({ length: 12 }, (_, i) => 3 + (i % 3));
    const answers = await Promise.all(
      days.map((day) =>
        query.all(`select min(created_datetime)::date::varchar as day, count(*) as n
          from raw.events where created_datetime::date = '2026-01-0${day}'`),
      ),
    );
    expect(answers.map(({ rows }) => rows[0])).toEqual(days.map((day) => ({ day: `2026-01-0${day}`, n: 3 })));
  });

  it('do not end an answer that is still being read', async () => {
    const { query } = await threeDays();
    const { chunks } = await query.run('select r.event_uuid from raw.events r, range(10000)');
    let rows = 0;
    for await (const chunk of chunks()) {
      if (rows === 0) await query.all("select count(*) from raw.events where event_type = 'payment'");
      rows += chunk.length;
    }
    expect(rows).toBe(90_000);
  });
});

describe('a table that another program has changed', () => {
  it('shows a column added since as null where a file has none', async () => {
    const { worker, query } = await lakeOf([event('lesson:started', at(3))]);
    await editTable(worker, 'staging.events', (metadata) =>
      evolve(metadata, (fields) => [...fields, { id: 13, name: 'country', type: 'string', required: false }]),
    );
    expect((await query.all('select event_name, country from staging.events')).rows).toEqual([
      { event_name: 'lesson:started', country: null },
    ]);
    expect((await query.all("select 1 from staging.events where country = 'NP'")).rows).toEqual([]);
  });

  it('shows a renamed column under its new name', async () => {
    const { worker, query } = await lakeOf([event('lesson:started', at(3))]);
    await editTable(worker, 'staging.events', (metadata) =>
      evolve(metadata, (fields) => fields.map((f) => (f.id === 4 ? { ...f, name: 'second_part' } : f))),
    );
    expect((await query.all('select second_part from staging.events')).rows).toEqual([
      { second_part: 'started' },
    ]);
  });

  it('finds columns by name where the table maps names, as for files added without field ids', async () => {
    const { worker, query } = await lakeOf([event('lesson:started', at(3))]);
    const file = await fileWithoutIds(worker, await loaded(worker.lake, 'staging.events'));
    await foreignSnapshot(worker, 'staging.events', { files: [file] });
    await editTable(worker, 'staging.events', (metadata) => {
      metadata.properties = { ...metadata.properties, 'schema.name-mapping.default': '[]' };
      evolve(metadata, (fields) => [...fields, { id: 13, name: 'country', type: 'string', required: false }]);
    });
    expect((await query.all('select event_name, country from staging.events order by 1')).rows).toEqual([
      { event_name: 'lesson:started', country: null },
      { event_name: 'other:made', country: null },
    ]);
  });

  it('does not keep questions from other tables when it cannot be read', async () => {
    const { worker, query } = await lakeOf([event('lesson:started', at(3))]);
    await editTable(worker, 'raw.events', (metadata) => {
      Object.assign(metadata, { 'format-version': 4 });
    }).catch(() => undefined);
    expect((await query.all('select count(*) as n from staging.events')).rows).toEqual([{ n: 1 }]);
    await expect(query.all('select count(*) from raw.events')).rejects.toEqual(
      expect.objectContaining({ name: 'Failure', code: expect.stringMatching(/^lake\./), fault: 'user' }),
    );
  });
});

it('says which table cannot be read when a file of it is gone', async () => {
  const { worker, query } = await lakeOf([event('lesson:started', at(3)), event('payment:made', at(3))]);
  const staging = await loaded(worker.lake, 'staging.events');
  expect(currentId(staging)).toBeDefined();
  const { files } = await worker.lake.files(staging, { where: [{ column: 'event_type', in: ['payment'] }] });
  await worker.lake.store.delete(files.map((file) => file.location));
  await expect(query.all('select count(*) from staging.events')).rejects.toEqual(
    failure('engine.unreadable'),
  );
  expect(
    (await query.all("select count(*) as n from staging.events where event_type = 'lesson'")).rows,
  ).toEqual([{ n: 1 }]);
});

type Fields = TableMetadata['schemas'][number]['fields'];

/** A new current schema, as ALTER TABLE makes it. */
function evolve(
  metadata: { -readonly [K in keyof TableMetadata]: TableMetadata[K] },
  change: (fields: Fields) => Fields,
): void {
  const current = metadata.schemas.find((s) => s['schema-id'] === metadata['current-schema-id'])!;
  const next = { ...current, 'schema-id': 77, fields: change(current.fields) };
  metadata.schemas = [...metadata.schemas, next];
  metadata['current-schema-id'] = 77;
  metadata['last-column-id'] = 20;
}

/** One row as a program writes it that knows nothing of Iceberg. */
async function fileWithoutIds({ lake }: Worker, table: Table): Promise<DataFile> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const c = await instance.connect();
  const localPath = join(lake.store.localPath(table.metadata.location)!, 'plain.parquet');
  await c.run(`copy (select 'u1' as event_uuid, 'other:made' as event_name, 'other' as event_type,
      1767398400.0::double as created_at, timestamptz '2026-01-03 00:00:00+00' as created_datetime, '{}' as document)
    to '${localPath}' (format parquet)`);
  instance.closeSync();
  const file = {
    specId: 0,
    partition: [20_456, 'other'],
    recordCount: 1,
    fileSize: 1_000,
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    nanValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
  };
  return (await storeFiles(lake, { table, files: [{ localPath, hint: 'day', file }] }))[0]!;
}
