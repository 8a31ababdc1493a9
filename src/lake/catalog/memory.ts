import type { PointerCatalog } from './catalog.ts';

/** A catalog of this process, for tests: each change happens in one turn of the event loop. */
export function openMemoryCatalog(): PointerCatalog {
  const locations = new Map<string, string>();
  return {
    async load(name) {
      const metadataLocation = locations.get(name);
      return metadataLocation === undefined ? undefined : { metadataLocation };
    },
    async list() {
      return [...locations.keys()].sort();
    },
    async create(name, metadataLocation) {
      if (locations.has(name)) return 'exists';
      locations.set(name, metadataLocation);
      return 'created';
    },
    async swap(name, { from, to }) {
      if (locations.get(name) !== from) return 'conflict';
      locations.set(name, to);
      return 'swapped';
    },
    async close() {},
  };
}
