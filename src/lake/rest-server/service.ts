/** What the routes work with: the catalog, the store, and the tables as they were last seen. */
import { asWeSpellIt } from '../../object-store/object-store.ts';
import { loadPointed, readMetadata } from '../catalog/load-pointed.ts';
import type { Table } from '../lake.ts';
import { parseAnyMetadata, type TableMetadata } from '../table/metadata.ts';
import { missingFile, noSuchNamespace, noSuchTable } from './rest-error.ts';
import type { CatalogServerOptions, FileAccess } from './rest-server.ts';

export type ServicePorts = Pick<
  CatalogServerOptions,
  'catalog' | 'store' | 'warehouse' | 'fileAccess' | 'clock' | 'log' | 'random'
>;

/** Parsing a table's metadata takes milliseconds; most requests want the version that the last one wanted. */
const REMEMBERED_MAX = 64;

export class Service {
  readonly ports: ServicePorts;
  readonly #latest = new Map<string, Table>();

  constructor(ports: ServicePorts) {
    this.ports = ports;
  }

  async find(name: string): Promise<Table | undefined> {
    const known = this.#latest.get(name);
    const table = await loadPointed(this.ports, name, { known, parse: parseAnyMetadata });
    if (table === undefined) this.#latest.delete(name);
    else this.remember(table);
    return table;
  }

  async load(name: string): Promise<Table> {
    const known = this.#latest.get(name);
    const table = await this.find(name);
    if (table === undefined) throw noSuchTable(name);
    // A table whose metadata file was taken away is broken, whether this server still remembers it or not.
    if (table === known) await this.#requireFile(table.metadataLocation);
    return table;
  }

  async #requireFile(location: string): Promise<void> {
    if ((await this.ports.store.head(location)) === undefined) throw missingFile(location);
  }

  remember(table: Table): void {
    this.#latest.delete(table.name);
    this.#latest.set(table.name, table);
    const oldest = this.#latest.keys().next().value;
    if (this.#latest.size > REMEMBERED_MAX && oldest !== undefined) this.#latest.delete(oldest);
  }

  readMetadata(location: string): Promise<TableMetadata> {
    return readMetadata(this.ports.store, location, parseAnyMetadata);
  }

  async fileAccess(): Promise<FileAccess> {
    return (await this.ports.fileAccess?.()) ?? {};
  }

  async requireNamespace(namespace: string): Promise<Readonly<Record<string, string>>> {
    const properties = await this.ports.catalog.loadNamespace(namespace);
    if (properties === undefined) throw noSuchNamespace(namespace);
    return properties;
  }

  /** What stays behind costs only space; no answer fails over it. */
  async delete(locations: readonly string[]): Promise<void> {
    const { store, log } = this.ports;
    const own = locations.map(asWeSpellIt).filter((location) => location.startsWith(`${store.root}/`));
    if (own.length === 0) return;
    await store.delete(own).catch((error: unknown) =>
      log.warn('catalog_server.delete_failed', 'files that no table needs could not be deleted', {
        files: own.length,
        why: String(error),
      }),
    );
  }
}
