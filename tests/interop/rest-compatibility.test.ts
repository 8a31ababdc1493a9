/** Our REST server, judged by the tests that the Iceberg project has for such servers. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog, systemClock } from '../../src/base/base.ts';
import {
  type NamespacedCatalog,
  openBucketCatalog,
  openSqliteCatalog,
  serveCatalog,
} from '../../src/lake/lake.ts';
import { type ObjectStore, openDiskStore } from '../../src/object-store/object-store.ts';
import { compatibilityKit, type Outcome } from '../support/rest-compatibility-kit.ts';
import { EXCLUSIONS, EXCLUSIONS_OF_BUCKET, type Exclusion } from './rest-exclusions.ts';

const PAGE = join(import.meta.dirname, '../../docs/reference/rest-catalog.md');
/** Of 1.11.0: 97 of tables and namespaces, 50 of views; fewer would mean that the kit did not run whole. */
const TESTS_LEAST = 140;

const kit = await compatibilityKit();

interface Served {
  kept: string;
  open: (folder: string, store: ObjectStore) => NamespacedCatalog | Promise<NamespacedCatalog>;
  exclusions: readonly Exclusion[];
}

const ports = { clock: systemClock, log: silentLog, random: Math.random };
const SERVED: readonly Served[] = [
  {
    kept: 'in SQLite',
    open: (folder) => openSqliteCatalog({ path: join(folder, 'catalog.sqlite') }),
    exclusions: EXCLUSIONS,
  },
  {
    kept: 'in the bucket',
    open: (_, store) => openBucketCatalog({ store, ...ports }),
    exclusions: [...EXCLUSIONS, ...EXCLUSIONS_OF_BUCKET],
  },
];

describe.skipIf(kit.missing !== undefined)(
  `Iceberg’s REST compatibility kit (${kit.missing ?? 'here'})`,
  () => {
    describe.each(SERVED)('on a catalog $kept', ({ open, exclusions }) => {
      let folder: string;
      let result: Awaited<ReturnType<typeof kit.run>>;
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'rest-lake-'));
        const store = openDiskStore({ root: join(folder, 'warehouse') });
        const catalog = await open(folder, store);
        const server = await serveCatalog({ catalog, store, port: 0, ...ports });
        try {
          result = await kit.run(server.uri);
        } finally {
          await server.close();
          await catalog.close();
        }
      });
      afterAll(() => rm(folder, { recursive: true, force: true }));

      const excluded = new Map(
        exclusions.flatMap(({ tests, outcome }) => tests.map((name): [string, Outcome] => [name, outcome])),
      );

      test('ran whole', () => {
        expect(result.outcomes.size).toBeGreaterThan(TESTS_LEAST);
      });

      test('passes but for the exclusions, each of which is still needed', () => {
        const others = result.outcomes.entries().filter(([, outcome]) => outcome !== 'passed');
        const messages = [...result.messages].filter(([name]) => !excluded.has(name));
        expect(messages).toEqual([]);
        expect(Object.fromEntries([...others].sort())).toEqual(Object.fromEntries([...excluded].sort()));
      });
    });
  },
);

describe('the page on the REST catalog', () => {
  test('names every exclusion with its reason', async () => {
    const page = await readFile(PAGE, 'utf8');
    const missing = [...EXCLUSIONS, ...EXCLUSIONS_OF_BUCKET].flatMap(({ reason, tests }) => {
      const line = page.split('\n').find((each) => each.includes(reason)) ?? '';
      return tests.filter((name) => !line.includes(`\`${name}\``));
    });
    expect(missing).toEqual([]);
  });
});
