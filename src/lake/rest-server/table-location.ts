/** Where the tables lie that this server makes: always below the store's root, no two in one folder. */
import { asWeSpellIt, type ObjectStore } from '../../object-store/object-store.ts';
import { freshUuid } from '../table/fresh-ids.ts';
import { isPlainName, tableLocation, uniqueLocation } from '../table/locations.ts';
import type { Service } from './service.ts';

/** As the store writes it; undefined for one that is not below its root.  */
export function allowedLocation(store: ObjectStore, asked: string): string | undefined {
  const location = asWeSpellIt(asked).replace(/\/+$/, '');
  const below = location.slice(store.root.length + 1);
  if (!location.startsWith(`${store.root}/`) || below.length === 0) return undefined;
  return below.split('/').some((part) => /^\.{0,2}$/.test(part) || /\p{Cc}/u.test(part))
    ? undefined
    : location;
}

/**
 * The plain folder of the name when nothing lies there yet. A table that was renamed, or dropped without its files,
 * left its own there: whoever cleans up one of the two would take the other's.
 */
export async function newLocation(service: Service, name: string): Promise<string> {
  const { store } = service.ports;
  if (!isPlainName(name)) return freshLocation(service, name);
  const plain = tableLocation(store.root, name);
  for await (const _ of store.list(`${plain}/`)) return freshLocation(service, name);
  return plain;
}

/** For a table that will be there later, or whose name cannot stand in a location. */
export function freshLocation({ ports: { store, clock, random } }: Service, name: string): string {
  return uniqueLocation(store.root, { name, uuid: freshUuid({ now_ms: clock.now(), random }) });
}
