/**
 * A version goes to the catalog once. An answer that tells nothing is looked into: the version may be there all the
 * same. As long as that is open its file stays, and the client is told that the state is unknown, never that the
 * commit failed.
 */
import { Failure } from '../../base/base.ts';
import { movePointer, type PointedVersion } from '../catalog/stage-pointed.ts';
import { mayBeGone } from '../commit/new-file.ts';
import type { Table } from '../lake.ts';
import { RestError } from './rest-error.ts';
import type { Service } from './service.ts';

export type Sent = 'moved' | 'conflict';

/** Several versions only where the catalog can move their pointers at once. */
export async function sendVersions(service: Service, versions: readonly PointedVersion[]): Promise<Sent> {
  const answer = await ask(service, versions);
  if (answer === 'moved') return moved(service, versions);
  if (!(answer instanceof Failure)) {
    const landed = await allLanded(service, versions);
    if (landed === true) return moved(service, versions);
    if (answer === 'unknown' || landed === undefined) throw unknownState(versions);
  }
  await service.delete(versions.map(({ move }) => move.to));
  if (answer instanceof Failure) throw answer;
  return 'conflict';
}

/** A Failure says that nothing was done, for certain. */
async function ask(
  { ports: { catalog, clock, log } }: Service,
  versions: readonly PointedVersion[],
): Promise<Sent | 'unknown' | Failure> {
  const moves = versions.map(({ move }) => move);
  try {
    if (versions.length === 1) return await movePointer({ catalog, clock }, versions[0]!);
    if (versions.some(({ writtenAt_ms }) => mayBeGone(clock, writtenAt_ms))) return 'conflict';
    return (await catalog.swapAll?.(moves)) === 'swapped' ? 'moved' : 'conflict';
  } catch (error) {
    if (error instanceof Failure && error.code !== 'catalog.unknown') return error;
    log.warn('catalog_server.commit_uncertain', 'the outcome of a commit is uncertain; looking for it', {
      tables: moves.map(({ name }) => name).join(', '),
      why: error instanceof Failure ? (error.why ?? error.message) : String(error),
    });
    return 'unknown';
  }
}

async function moved(service: Service, versions: readonly PointedVersion[]): Promise<'moved'> {
  for (const { table } of versions) service.remember(table);
  await service.delete(versions.flatMap(({ forgotten }) => forgotten));
  return 'moved';
}

/** Undefined when it cannot be seen now. */
async function allLanded(
  service: Service,
  versions: readonly PointedVersion[],
): Promise<boolean | undefined> {
  try {
    const found = await Promise.all(
      versions.map(async ({ table, move }) => hasBeen(await service.find(table.name), move.to)),
    );
    return found.every(Boolean);
  } catch {
    return undefined;
  }
}

const hasBeen = (table: Table | undefined, location: string): boolean =>
  table !== undefined &&
  (table.metadataLocation === location ||
    table.metadata['metadata-log'].some((entry) => entry['metadata-file'] === location));

function unknownState(versions: readonly PointedVersion[]): RestError {
  const names = versions.map(({ table }) => table.name).join(', ');
  return new RestError(
    500,
    'CommitStateUnknownException',
    `Cannot tell whether the commit to ${names} was made; load it and look`,
  );
}
