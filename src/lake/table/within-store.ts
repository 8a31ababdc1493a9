import { Failure } from '../../base/base.ts';
import { asWeSpellIt } from '../../object-store/object-store.ts';
import type { Table } from '../lake.ts';

/** A service, or another program in the same catalog, may keep tables where this store does not reach. */
export function withinStore(root: string, table: Table): Table {
  const { location } = table.metadata;
  if (asWeSpellIt(location).startsWith(`${root}/`)) return table;
  throw new Failure(`cannot reach the files of ${table.name}`, {
    code: 'lake.elsewhere',
    fault: 'user',
    why: `they are at ${location}; this lake's store is ${root}`,
    hint: 'set store.url to where the tables of this catalog are',
    docs: 'docs/reference/configuration.md',
  });
}
