/**
 * Any catalog that keeps pointers, as an Iceberg REST catalog: Spark, Trino, pyiceberg, DuckDB and others create, read
 * and commit to the same tables that Lakeward writes. Clients commit by requirements and updates; the metadata is
 * written here, and the catalog's compare-and-swap decides, so that this server can run beside writers that use the
 * catalog directly, and beside other servers.
 *
 * Without a token it listens on loopback only, and answers nothing that a web page in the user's browser asked.
 */
import type { Clock, Log } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import type { NamespacedCatalog } from '../catalog/catalog.ts';
import { startServer } from './start.ts';

/** Properties as Iceberg's FileIO implementations know them. */
export type FileAccess = Readonly<Record<string, string>>;

export interface CatalogServerOptions {
  catalog: NamespacedCatalog;
  /** Every table that the server creates lies below its root, whatever location a client asks for. */
  store: ObjectStore;
  /** Default 127.0.0.1. Another than a loopback address needs a token. */
  host?: string;
  /** 0 takes any free one. */
  port: number;
  /** What clients send as bearer token. Without one nothing is asked. */
  token?: string;
  /** A client that asks for a warehouse of another name is refused; without a name, every name will do. */
  warehouse?: string;
  /**
   * What a client needs to know to reach the tables' files (`s3.endpoint`, `client.region` …), asked for whenever a
   * table is answered. Default: nothing. Secrets in it go to everyone who may load a table.
   */
  fileAccess?: () => Promise<FileAccess>;
  clock: Clock;
  log: Log;
  random: () => number;
}

export interface CatalogServer {
  /** What clients take as `uri`. */
  readonly uri: string;
  readonly port: number;
  /** Takes no more requests, and lets those under way end. The catalog and the store stay open. */
  close(): Promise<void>;
}

export function serveCatalog(options: CatalogServerOptions): Promise<CatalogServer> {
  return startServer(options);
}
