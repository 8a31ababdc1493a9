/**
 * Commits: the requirements are checked on the current version, the updates applied to it. When another writer moves
 * the pointer in between and the requirements hold on its version too, that is done again here: the client need not
 * know of it.
 */
import { backoff, Failure } from '../../base/base.ts';
import { type PointedVersion, stagePointed } from '../catalog/stage-pointed.ts';
import type { Table } from '../lake.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import type { TableMetadata } from '../table/metadata.ts';
import { unmetRequirement } from '../table/requirements.ts';
import { tableFromUpdates } from '../table/table-from-updates.ts';
import { applyUpdates, type TableUpdate, type Update } from '../table/table-update.ts';
import { badRequest, commitFailed, noSuchTable, RestError } from './rest-error.ts';
import { type Sent, sendVersions } from './send-version.ts';
import type { Service } from './service.ts';
import { allowedLocation, newLocation } from './table-location.ts';

const ATTEMPTS_MAX = 8;
const BACKOFF = { first_ms: 20, most_ms: 1_000 };

export interface NamedUpdate extends TableUpdate {
  name: string;
}

/** All of the changes or none; the tables as they are then. */
export async function commitAll(service: Service, changes: readonly NamedUpdate[]): Promise<Table[]> {
  const { clock, random } = service.ports;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) await clock.sleep(backoff(attempt - 1, { ...BACKOFF, random }));
    const judged = await judgeAll(service, changes);
    const versions = await stageAll(service, judged);
    if (versions.length === 0) return judged.map(({ base }) => base!);
    if ((await sendUnlessBusy(service, versions)) === 'moved') return resultOf(judged, versions);
  }
  const names = changes.map(({ name }) => name).join(', ');
  throw commitFailed(
    `Commit failed: ${ATTEMPTS_MAX} attempts in a row were overtaken by other commits to ${names}`,
  );
}

/** A busy catalog did nothing: the client may as well be spared the error, and Java takes 503 for an unknown state. */
async function sendUnlessBusy(service: Service, versions: readonly PointedVersion[]): Promise<Sent> {
  try {
    return await sendVersions(service, versions);
  } catch (error) {
    if (error instanceof Failure && error.code === 'catalog.busy') return 'conflict';
    throw error;
  }
}

interface Judged {
  name: string;
  base: Table | undefined;
  /** That of the base itself when the change changes nothing. */
  metadata: TableMetadata;
}

async function judgeAll(service: Service, changes: readonly NamedUpdate[]): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const change of changes) judged.push(await judge(service, change));
  return judged;
}

async function judge(service: Service, { name, requirements, updates }: NamedUpdate): Promise<Judged> {
  const base = await service.find(name);
  const creates = requirements.some(({ type }) => type === 'assert-create');
  if (creates && base !== undefined) throw createdMeanwhile(name);
  if (creates) return { name, base, metadata: await created(service, { name, requirements, updates }) };
  if (base === undefined) throw noSuchTable(name);
  const unmet = unmetRequirement(base.metadata, requirements);
  if (unmet !== undefined) throw commitFailed(unmet);
  const allowed = updates.filter((update) => isAllowed(service, update));
  return {
    name,
    base,
    metadata: applyUpdates(base.metadata, allowed, { now_ms: service.ports.clock.now() }),
  };
}

async function created(service: Service, change: NamedUpdate): Promise<TableMetadata> {
  const { name, requirements, updates } = change;
  if (requirements.length > 1) throw badRequest('Invalid create requirements: assert-create stands alone');
  await service.requireNamespace(name.slice(0, name.lastIndexOf('.')));
  const { clock, random } = service.ports;
  const now_ms = clock.now();
  const allowed = updates.filter((update) => isAllowed(service, update));
  const located = allowed.some(({ action }) => action === 'set-location')
    ? allowed
    : [...allowed, { action: 'set-location' as const, location: await newLocation(service, name) }];
  return tableFromUpdates(located, { uuid: freshUuid({ now_ms, random }), now_ms });
}

/** A client takes it for what it is: the table it wanted to make, somebody else has made. */
function createdMeanwhile(name: string): RestError {
  return new RestError(409, 'AlreadyExistsException', `Requirement failed: table already exists: ${name}`);
}

/** A table stays inside the warehouse: a location outside is as good as none asked for. */
function isAllowed({ ports: { store } }: Service, update: Update): boolean {
  return update.action !== 'set-location' || allowedLocation(store, update.location) !== undefined;
}

async function stageAll(service: Service, judged: readonly Judged[]): Promise<PointedVersion[]> {
  const news = judged.filter(({ base, metadata }) => metadata !== base?.metadata);
  const versions: PointedVersion[] = [];
  try {
    for (const { name, base, metadata } of news)
      versions.push(await stagePointed(service.ports, { name, metadata, from: base }));
  } catch (error) {
    await service.delete(versions.map(({ move }) => move.to));
    throw error;
  }
  return versions;
}

function resultOf(judged: readonly Judged[], versions: readonly PointedVersion[]): Table[] {
  const byName = new Map(versions.map(({ table }) => [table.name, table]));
  return judged.map(({ name, base }) => byName.get(name) ?? base!);
}
