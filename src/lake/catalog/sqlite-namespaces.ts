/** Namespaces in the layout of Iceberg's JdbcCatalog: a row a property, and one named `exists` for those that have none. */
import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../base/base.ts';
import type { NamespacedCatalog } from './catalog.ts';
import { withParents } from './namespaces.ts';
import { inTransaction, reading, writing } from './sqlite-file.ts';

type Namespaces = Pick<
  NamespacedCatalog,
  'listNamespaces' | 'loadNamespace' | 'createNamespace' | 'updateNamespace' | 'dropNamespace'
>;

const EXISTS = 'exists';

export function namespacesIn(
  database: DatabaseSync,
  { path, catalogName }: { path: string; catalogName: string },
): Namespaces {
  const sql = statements(database);
  const exists = (namespace: string) => sql.exists.get({ catalogName, ...within(namespace) }) !== undefined;
  const set = (namespace: string, properties: Readonly<Record<string, string>>) => {
    for (const [key, value] of Object.entries(properties))
      sql.set.run({ catalogName, namespace, key, value });
  };
  const change = <T>(action: () => T) => writing(path, () => inTransaction(database, action));

  return {
    listNamespaces: async () =>
      reading(path, () => withParents(sql.list.all({ catalogName }).map((row) => String(row['namespace'])))),
    loadNamespace: async (namespace) =>
      reading(path, () => {
        if (!exists(namespace)) return undefined;
        const rows = sql.properties.all({ catalogName, namespace });
        return Object.fromEntries(
          rows.map((row) => [String(row['property_key']), String(row['property_value'])]),
        );
      }),
    async createNamespace(namespace, properties) {
      checkKeys(Object.keys(properties));
      return change(() => {
        if (exists(namespace)) return 'exists';
        set(namespace, { [EXISTS]: 'true', ...properties });
        return 'created';
      });
    },
    async updateNamespace(namespace, { set: updates, remove }) {
      checkKeys([...Object.keys(updates), ...remove]);
      return change(() => {
        if (!exists(namespace)) return 'missing';
        set(namespace, updates);
        for (const key of remove) sql.remove.run({ catalogName, namespace, key });
        return 'updated';
      });
    },
    dropNamespace: async (namespace) =>
      change(() => {
        if (!exists(namespace)) return 'missing';
        if (sql.holds.get({ catalogName, ...within(namespace) }) !== undefined) return 'not-empty';
        sql.drop.run({ catalogName, namespace });
        return 'dropped';
      }),
  };
}

/** A range instead of LIKE, to which a `_` in a name would mean any letter: `/` comes after `.`. */
const within = (namespace: string) => ({ namespace, first: `${namespace}.`, end: `${namespace}/` });

function statements(database: DatabaseSync) {
  const inside = (column: string) => `(${column} >= $first AND ${column} < $end)`;
  return {
    list: database.prepare(
      `SELECT table_namespace AS namespace FROM iceberg_tables WHERE catalog_name = $catalogName
       UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $catalogName`,
    ),
    exists: database.prepare(
      `SELECT 1 FROM iceberg_namespace_properties
       WHERE catalog_name = $catalogName AND (namespace = $namespace OR ${inside('namespace')})
       UNION ALL SELECT 1 FROM iceberg_tables
       WHERE catalog_name = $catalogName AND (table_namespace = $namespace OR ${inside('table_namespace')})
       LIMIT 1`,
    ),
    holds: database.prepare(
      `SELECT 1 FROM iceberg_namespace_properties
       WHERE catalog_name = $catalogName AND ${inside('namespace')}
       UNION ALL SELECT 1 FROM iceberg_tables
       WHERE catalog_name = $catalogName AND (table_namespace = $namespace OR ${inside('table_namespace')})
       LIMIT 1`,
    ),
    properties: database.prepare(
      `SELECT property_key, property_value FROM iceberg_namespace_properties
       WHERE catalog_name = $catalogName AND namespace = $namespace AND property_key <> '${EXISTS}'`,
    ),
    set: database.prepare(
      `INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
       VALUES ($catalogName, $namespace, $key, $value)
       ON CONFLICT (catalog_name, namespace, property_key) DO UPDATE SET property_value = excluded.property_value`,
    ),
    remove: database.prepare(
      `DELETE FROM iceberg_namespace_properties
       WHERE catalog_name = $catalogName AND namespace = $namespace AND property_key = $key`,
    ),
    drop: database.prepare(
      `DELETE FROM iceberg_namespace_properties WHERE catalog_name = $catalogName AND namespace = $namespace`,
    ),
  };
}

function checkKeys(keys: readonly string[]): void {
  if (!keys.includes(EXISTS)) return;
  throw new Failure(`cannot set or remove the property ${EXISTS} of a namespace`, {
    code: 'catalog.reserved_property',
    fault: 'user',
    why: 'it marks, in the layout of Iceberg’s JdbcCatalog, that the namespace exists',
  });
}
