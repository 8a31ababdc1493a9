/**
 * A new table never begins where another one's files lie: whoever removes the orphans of one would take those of the
 * other. A table that was dropped leaves its files, and one that is made anew under the name gets a folder of its own
 * beside them. Files of a table that the catalog does not name though nobody dropped it are those of a catalog that was
 * lost: until it is back nothing is made.
 */
import { Failure } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { tableLocation, uniqueLocation } from '../table/locations.ts';
import type { CommitPorts } from './ports.ts';

/** What a creation may leave behind that ended before the catalog was told of it. Every commit after it writes more. */
const OF_CREATION = /^\/metadata\/(00000-[^/]+\.metadata\.json|snap-[^/]+\.avro)$/;
const IN_FOLDER_OF_ITS_OWN = /^-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\/)/;

/**
 * A file of a table that was in use under this name, whether a catalog knows of it or not; undefined when there is none.
 * Costs the first pages of two listings.
 */
export async function fileLeft(store: ObjectStore, name: string): Promise<string | undefined> {
  const plain = tableLocation(store.root, name);
  for (const prefix of [`${plain}/`, `${plain}-`]) {
    for await (const { location } of store.list(prefix)) {
      const key = location.slice(plain.length).replace(IN_FOLDER_OF_ITS_OWN, '');
      if (key.startsWith('/') && !OF_CREATION.test(key)) return location;
    }
  }
  return undefined;
}

/**
 * Where a table of this name is to lie when one of that name, which is `left`, lies there already. Throws Failure
 * `lake.table_left` when nobody is known to have dropped that one.
 */
export async function placeBeside(
  { store, catalog, clock, random, log }: CommitPorts,
  { name, left }: { name: string; left: string },
): Promise<string> {
  const wasDropped =
    'wasDropped' in catalog ? await catalog.wasDropped(name) : (await catalog.list()).length > 0;
  if (!wasDropped) throw notNamed(name, left);
  const uuid = freshUuid({ now_ms: clock.now(), random });
  const location = uniqueLocation(store.root, { name, uuid });
  log.warn('lake.folder_of_its_own', 'files of a dropped table of this name stay where they are', {
    table: name,
    location,
    left,
  });
  return location;
}

const notNamed = (name: string, left: string) =>
  new Failure(`cannot create the table ${name}: there is one in its place`, {
    code: 'lake.table_left',
    fault: 'user',
    why: `the catalog does not name it, and nobody dropped it: ${left}`,
    hint: 'put the catalog back or register the table again; if nobody needs it, move its folder away',
    docs: 'docs/how-to/recover.md',
  });
