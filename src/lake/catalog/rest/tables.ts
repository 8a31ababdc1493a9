/** Tables of a REST catalog: loaded, made, committed to. */
import { type Clock, stringifyJson } from '../../../base/base.ts';
import type { Table, TableDefinition } from '../../lake.ts';
import { freshUuid } from '../../table/fresh-ids.ts';
import { tableLocation } from '../../table/locations.ts';
import { parseMetadata } from '../../table/metadata.ts';
import type { TableUpdate } from '../../table/table-update.ts';
import { badAnswer } from './failures.ts';
import { creationOf, difference, renumbered } from './new-table.ts';
import { type Fields, type RestAnswer, type RestRequests, surely } from './requests.ts';
import { partsOf, type Routes } from './routes.ts';
import { storageIn, type TableStorage } from './storage.ts';

export interface TablePorts {
  requests: RestRequests;
  routes: Routes;
  root?: string;
  onStorage?: (storage: TableStorage) => void;
  clock: Clock;
  random: () => number;
}

export class RestTables {
  readonly #ports: TablePorts;
  /** By table: the version that was last loaded, and what to show for it. */
  readonly #etags = new Map<string, { metadataLocation: string; etag: string }>();

  constructor(ports: TablePorts) {
    this.#ports = ports;
  }

  async load(name: string, known?: Table): Promise<Table | undefined> {
    const { requests, routes } = this.#ports;
    const attempt = `load the table ${name}`;
    const etag = this.#etagOf(name, known);
    const answer = await requests.repeat({
      attempt,
      method: 'GET',
      url: routes.table(name),
      ...(etag !== undefined && { headers: { 'if-none-match': etag } }),
      expected: [304, 404],
    });
    if (answer.status === 404) return undefined;
    if (answer.status === 304) return known;
    return this.#loaded(name, answer, { attempt, known });
  }

  async create(name: string, definition: TableDefinition, at?: string): Promise<Table | 'exists'> {
    const { requests, routes, root, clock } = this.#ports;
    const attempt = `create the table ${name}`;
    const { levels } = partsOf(name);
    await this.#ensureNamespaces(levels);
    const location = root === undefined ? undefined : (at ?? tableLocation(root, name));
    const { body, planned } = creationOf({ name, definition, location }, clock);
    const answer = await requests.once({
      attempt,
      method: 'POST',
      url: routes.tables(levels),
      body,
      expected: [409],
    });
    if (answer.status === 409) return 'exists';
    const table = surely(attempt, () => this.#loaded(name, answer, { attempt }));
    const why = difference(planned, table.metadata);
    if (why !== undefined) throw renumbered(name, { why, dropped: await this.#dropEmpty(name) });
    return table;
  }

  async update(name: string, { requirements, updates }: TableUpdate): Promise<Table | 'conflict'> {
    const { requests, routes, clock, random } = this.#ports;
    const attempt = `commit to the table ${name}`;
    const { levels, table } = partsOf(name);
    const key = routes.takesIdempotencyKeys
      ? { 'idempotency-key': freshUuid({ now_ms: clock.now(), random }) }
      : {};
    const answer = await requests.once({
      attempt,
      method: 'POST',
      url: routes.table(name),
      headers: key,
      body: { identifier: { namespace: levels, name: table }, requirements, updates },
      expected: [409],
    });
    return answer.status === 409 ? 'conflict' : surely(attempt, () => tableIn(name, answer.fields, attempt));
  }

  /** An answer without a body brings no credentials either, so where they are wanted the whole is asked for. */
  #etagOf(name: string, known: Table | undefined): string | undefined {
    const noted = this.#etags.get(name);
    const same = known !== undefined && noted?.metadataLocation === known.metadataLocation;
    return same && this.#ports.onStorage === undefined ? noted.etag : undefined;
  }

  #loaded(
    name: string,
    { etag, fields }: RestAnswer,
    { attempt, known }: { attempt: string; known?: Table | undefined },
  ): Table {
    const isKnown = known !== undefined && fields['metadata-location'] === known.metadataLocation;
    const table = isKnown ? known : tableIn(name, fields, attempt);
    const { metadata, metadataLocation } = table;
    if (etag === undefined) this.#etags.delete(name);
    else this.#etags.set(name, { metadataLocation, etag });
    this.#ports.onStorage?.(storageIn(fields, { table: name, location: metadata.location }));
    return table;
  }

  /** Those around it first: some services want each level made. */
  async #ensureNamespaces(levels: readonly string[]): Promise<void> {
    const { requests, routes } = this.#ports;
    for (let depth = 1; depth <= levels.length; depth++) {
      const namespace = levels.slice(0, depth);
      const { status } = await requests.repeat({
        attempt: `look for the namespace ${namespace.join('.')}`,
        method: 'GET',
        url: routes.namespace(namespace),
        expected: [404],
      });
      if (status !== 404) continue;
      await requests.repeat({
        attempt: `create the namespace ${namespace.join('.')}`,
        method: 'POST',
        url: routes.namespaces(),
        body: { namespace, properties: {} },
        expected: [409],
      });
    }
  }

  /** Nobody has put anything in; left there, the next start would take it for a good one. */
  async #dropEmpty(name: string): Promise<boolean> {
    const { requests, routes } = this.#ports;
    try {
      await requests.repeat({
        attempt: `drop the table ${name}`,
        method: 'DELETE',
        // S3 Tables drops no other way.
        url: `${routes.table(name)}?purgeRequested=true`,
        expected: [404],
      });
      return true;
    } catch {
      return false;
    }
  }
}

function tableIn(name: string, fields: Fields, attempt: string): Table {
  const { metadata, 'metadata-location': location } = fields;
  if (metadata === undefined || typeof location !== 'string')
    throw badAnswer(attempt, { why: 'it has no metadata, or does not say where it lies' });
  return { name, metadata: parseMetadata(stringifyJson(metadata), location), metadataLocation: location };
}
