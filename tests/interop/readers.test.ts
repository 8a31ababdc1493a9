/**
 * Every table as other programs read it: pyiceberg, DuckDB's own Iceberg reader, and a reader of bare Avro and Parquet
 * that knows the spec and nothing else. What they count and which files they open must be what we count and open.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ancestors, type DataFile, type Table } from '../../src/lake/lake.ts';
import { TABLES } from '../../src/tables/tables.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { PYICEBERG_WAYS } from './catalog-ways.ts';
import { type ByDuckDb, type ByPyiceberg, expectPrunedAlike, look, type Seen } from './other-readers.ts';
import { ourContents } from './our-contents.ts';
import { ASKED, type Contents, contentsOf } from './questions.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

const python = await pythonWith('iceberg');
const NAMES = Object.keys(ASKED);
const BY_WAY = PYICEBERG_WAYS.map(([by], way) => [by, way] as const);

describeWith(python, 'other programs', () => {
  let written: WrittenLake;
  let seen: Seen;
  beforeAll(async () => {
    // Commits of one record and of many; so many that the window forgets, and repeats reach raw.
    written = await writeLake({ count: 4_000, seed: 1, commits: [700, 1, 1_300, 40, 500, 400, 300, 300] });
    seen = await look(python, written);
  });
  afterAll(() => written?.close());

  test.each(BY_WAY)('find the tables by %s', (_, way) => {
    expect(seen.pyiceberg.byCatalogs[way]!.names).toEqual([...NAMES].sort());
  });

  describe.each(NAMES.map((name, at) => [name, at] as const))('read %s', (name, at) => {
    const { columns, questions } = ASKED[name]!;
    let table: Table;
    let files: DataFile[];
    let pyiceberg: ByPyiceberg;
    let duckDb: ByDuckDb;
    beforeAll(async () => {
      table = await written.table(name);
      files = (await written.lake.files(table)).files;
      pyiceberg = seen.pyiceberg.byCatalogs[0]!.tables[at]!;
      duckDb = seen.duckDb[at]!;
    });

    test('by the metadata file as by the catalog', () => {
      expect(seen.pyiceberg.byFile[at]).toEqual(pyiceberg);
    });

    test.each(BY_WAY)('by %s as by every other way, down to each file that it opens', (_, way) => {
      expect(seen.pyiceberg.byCatalogs[way]!.tables[at]).toEqual(pyiceberg);
    });

    test('with the columns, ids and partitions that it was made with', () => {
      const { schema, partition } = TABLES[name]!;
      expect(pyiceberg.format).toBe(2);
      expect(pyiceberg.schema).toEqual(schema.fields.map((f) => [f.id, f.name, f.type, f.required]));
      expect(pyiceberg.spec).toEqual(partition.map((f) => [f.source, f.id, f.name, f.transform]));
      expect(duckDb.columns).toEqual(schema.fields.map((f) => [f.name, DUCKDB_TYPES[f.type]]));
    });

    test('with exactly the rows that we count', async () => {
      const ours = await ourContents(written, name);
      expect(pyiceberg.contents).toEqual(ours);
      expect(duckDb.contents).toEqual(ours);
    });

    test('opening the files that we open, and missing no row', async () => {
      await expectPrunedAlike(written, { name, pyiceberg, duckDb });
    });

    test('leaving out what partitions and bounds tell', () => {
      const key = ({ partition }: DataFile) => JSON.stringify(partition);
      for (const [i, { about, prunes }] of questions.entries()) {
        const opened = files.filter(({ location }) => pyiceberg.pruning[i]!.files.includes(location));
        const partitions = new Set(opened.map(key));
        const most = { everything: 0, nothing: files.length, partitions: files.length - 1 };
        const ofPartitions = files.filter((file) => partitions.has(key(file))).length - 1;
        expect(opened.length, about).toBeLessThanOrEqual(prunes === 'bounds' ? ofPartitions : most[prunes]);
        expect(opened.length, about).toBeGreaterThanOrEqual(prunes === 'everything' ? 0 : 1);
        if (prunes === 'nothing') expect(opened.length, about).toBe(files.length);
      }
    });

    test('with the snapshots, history and totals that we know of', () => {
      const { metadata } = table;
      const line = ancestors(metadata, metadata['current-snapshot-id']!).snapshots.reverse();
      const { snapshots, history, refs, metadataLog } = pyiceberg.inspection;
      expect(snapshots).toEqual(
        line.map((snapshot) => {
          const { operation, ...summary } = snapshot.summary;
          return {
            id: String(snapshot['snapshot-id']),
            parent:
              snapshot['parent-snapshot-id'] === undefined ? null : String(snapshot['parent-snapshot-id']),
            committed_ms: snapshot['timestamp-ms'],
            manifestList: snapshot['manifest-list'],
            operation,
            summary,
          };
        }),
      );
      expect(history).toEqual(line.map((s) => ({ id: String(s['snapshot-id']), onMain: true })));
      expect(refs).toEqual([{ name: 'main', id: String(metadata['current-snapshot-id']) }]);
      expect(duckDb.snapshots).toEqual(line.map((s) => String(s['snapshot-id'])));
      expect(metadataLog).toEqual([
        ...metadata['metadata-log'].map((each) => each['metadata-file']),
        table.metadataLocation,
      ]);
      expect(snapshots.at(-1)!.summary).toMatchObject({
        'total-records': String(pyiceberg.contents.rows),
        'total-data-files': String(files.length),
        'total-files-size': String(files.reduce((sum, { fileSize }) => sum + fileSize, 0)),
      });
    });

    test('with the files, partitions and bounds that we know of', () => {
      const { schema } = TABLES[name]!;
      const { inspection } = pyiceberg;
      expect(inspection.entries).toBe(files.length);
      expect(inspection.manifests.reduce((sum, m) => sum + m.files, 0)).toBe(files.length);
      expect(duckDb.files).toEqual(files.map(({ location }) => location).sort());
      expect(inspection.files).toEqual(
        files.toSorted(byLocation).map((file) => ({
          location: file.location,
          partition: file.partition,
          rows: file.recordCount,
          size_bytes: file.fileSize,
          sortOrder: file.sortOrderId ?? null,
          bounds: Object.fromEntries(
            schema.fields.map(({ id, name: column }) => [
              column,
              [plain(file.lowerBounds.get(id)), plain(file.upperBounds.get(id))],
            ]),
          ),
        })),
      );
      const rows = Map.groupBy(files, ({ partition }) => JSON.stringify(partition));
      expect(new Map(inspection.partitions.map((p) => [JSON.stringify(p.partition), p.rows]))).toEqual(
        new Map(
          [...rows].map(([key, of]) => [key, of.reduce((sum, { recordCount }) => sum + recordCount, 0)]),
        ),
      );
    });

    test('and every file of it says what the Iceberg spec asks for', () => {
      expect(seen.checked[name]).toEqual({ files: files.length, findings: [] });
    });

    test(`with ${columns.content}s byte for byte as they were put`, async () => {
      const put = expectedContents(written, name);
      if (name === 'raw.events') expect(pyiceberg.contents.keys).toBe(put.keys);
      else expect(pyiceberg.contents).toEqual(put);
    });
  });

  test('find repeats in raw and none in staging', () => {
    const [raw, staging] = seen.pyiceberg.byCatalogs[0]!.tables;
    expect(raw!.contents.rows).toBeGreaterThan(raw!.contents.keys);
    expect(staging!.contents.rows).toBe(staging!.contents.keys);
  });
});

const DUCKDB_TYPES: Record<string, string> = {
  string: 'VARCHAR',
  double: 'DOUBLE',
  int: 'INTEGER',
  binary: 'BLOB',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
};

const byLocation = (a: DataFile, b: DataFile) => (a.location < b.location ? -1 : 1);

const plain = (bound: unknown) => (typeof bound === 'bigint' ? Number(bound) : (bound ?? null));

/** From what was put. */
function expectedContents({ events, records, stream }: WrittenLake, name: string): Contents {
  if (name === 'quarantine.events') {
    return contentsOf(
      records.flatMap(({ reason, body }, i) => {
        const { sequenceNumber, arrived_ms } = stream.acknowledged[i]!;
        const us = BigInt(arrived_ms) * 1000n;
        return reason === undefined
          ? []
          : [{ key: String(sequenceNumber), group: reason, us, content: body }];
      }),
    );
  }
  return contentsOf(
    events.map(({ uuid, type, created_us, document }) => ({
      ...{ key: uuid, group: type, us: created_us, content: document },
    })),
  );
}
