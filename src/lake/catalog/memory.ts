import { splitName } from '../table/locations.ts';
import type { NamespacedCatalog, NamespaceProperties } from './catalog.ts';
import { isWithin, withParents } from './namespaces.ts';

/** A catalog of this process, for tests: each change happens in one turn of the event loop. */
export function openMemoryCatalog(): NamespacedCatalog {
  const locations = new Map<string, string>();
  const created = new Map<string, NamespaceProperties>();
  const dropped = new Set<string>();
  const holders = () => locations.keys().map((name) => splitName(name).namespace);
  const namespaces = () => withParents([...created.keys(), ...holders()]);

  return {
    async load(name) {
      const metadataLocation = locations.get(name);
      return metadataLocation === undefined ? undefined : { metadataLocation };
    },
    async list() {
      return [...locations.keys()].sort();
    },
    async create(name, metadataLocation) {
      const { namespace } = splitName(name);
      if (!created.has(namespace)) created.set(namespace, {});
      if (locations.has(name)) return 'exists';
      locations.set(name, metadataLocation);
      return 'created';
    },
    async swap(name, { from, to }) {
      if (locations.get(name) !== from) return 'conflict';
      locations.set(name, to);
      return 'swapped';
    },
    async swapAll(moves) {
      if (moves.some(({ name, from }) => locations.get(name) !== from)) return 'conflict';
      for (const { name, to } of moves) locations.set(name, to);
      return 'swapped';
    },
    async drop(name) {
      if (!locations.delete(name)) return 'missing';
      dropped.add(name);
      return 'dropped';
    },
    async wasDropped(name) {
      return dropped.has(name);
    },
    async rename({ from, to }) {
      const location = locations.get(from);
      if (location === undefined) return 'missing';
      if (locations.has(to)) return 'exists';
      locations.delete(from);
      dropped.add(from);
      locations.set(to, location);
      return 'renamed';
    },
    async listNamespaces() {
      return namespaces();
    },
    async loadNamespace(namespace) {
      return created.get(namespace) ?? (namespaces().includes(namespace) ? {} : undefined);
    },
    async createNamespace(namespace, properties) {
      if (namespaces().includes(namespace)) return 'exists';
      created.set(namespace, properties);
      return 'created';
    },
    async updateNamespace(namespace, { set, remove }) {
      if (!namespaces().includes(namespace)) return 'missing';
      const entries = Object.entries({ ...created.get(namespace), ...set });
      created.set(namespace, Object.fromEntries(entries.filter(([key]) => !remove.includes(key))));
      return 'updated';
    },
    async dropNamespace(namespace) {
      if (!namespaces().includes(namespace)) return 'missing';
      const inner = created.keys().some((each) => each !== namespace && isWithin(each, namespace));
      if (inner || holders().some((each) => isWithin(each, namespace))) return 'not-empty';
      created.delete(namespace);
      return 'dropped';
    },
    async close() {},
  };
}
