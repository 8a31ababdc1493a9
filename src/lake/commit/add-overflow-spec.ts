/**
 * A spec without fields, added to a table that was created without one. A change of metadata alone: no snapshot, so
 * that nothing that was judged against the table has to be judged again. Iceberg's Java library takes it for a new spec
 * (TableMetadata.Builder.addPartitionSpec): an equal one is used again, any other gets the highest id plus one. Which id
 * it got is read from the answer, never assumed.
 */
import { Failure } from '../../base/base.ts';
import type { Table } from '../lake.ts';
import type { TableUpdate } from '../table/table-update.ts';
import { pause, reload } from './load.ts';
import type { CommitPorts } from './ports.ts';

export interface WithOverflow {
  table: Table;
  specId: number;
}

/** Remembers which tables' catalog refused it, so that it is neither asked nor complained of again. */
export function overflowSpecs(ports: CommitPorts): (table: Table) => Promise<WithOverflow | undefined> {
  const refused = new Set<string>();
  return async (table) => {
    const uuid = table.metadata['table-uuid'];
    if (refused.has(uuid)) return undefined;
    const found = overflowOf(table) ?? (await added(ports, table));
    if ('specId' in found) return found;
    refused.add(uuid);
    ports.log.warn('lake.overflow_refused', 'the catalog takes no partition spec without fields', {
      table: table.name,
      why: found.refused,
    });
    return undefined;
  };
}

function overflowOf(table: Table): WithOverflow | undefined {
  const { 'partition-specs': specs, 'default-spec-id': own } = table.metadata;
  const spec = specs.find((each) => each.fields.length === 0 && each['spec-id'] !== own);
  return spec && { table, specId: spec['spec-id'] };
}

/** Sending it twice does no harm, so that whatever is uncertain is settled by looking, and sending again. */
async function added(ports: CommitPorts, first: Table): Promise<WithOverflow | { refused: string }> {
  let table = first;
  for (let attempt = 0; attempt < ports.commitAttempts; attempt++) {
    const answer = await send(ports, table);
    if (typeof answer === 'object' && 'table' in answer) {
      const found = overflowOf(answer.table);
      return found ?? { refused: 'it answered that it had added one, and the table has none' };
    }
    if (answer instanceof Failure && answer.retry === 'never')
      return { refused: answer.why ?? answer.message };
    await pause(ports, attempt);
    table = await reload(ports, table.name);
    if (table.metadata['table-uuid'] !== first.metadata['table-uuid']) break;
    const found = overflowOf(table);
    if (found !== undefined) return found;
  }
  throw new Failure(`cannot add a partition spec to ${first.name}`, {
    code: 'lake.commit_conflict',
    fault: 'service',
    retry: 'backoff',
    why: 'every attempt was overtaken or turned away',
  });
}

/**
 * A Failure says that nothing was done, for certain. What was written for an attempt is left to the removal of orphans:
 * a request that was sent twice on its way is a conflict too, and its file then the current version.
 */
async function send(
  { versions }: CommitPorts,
  table: Table,
): Promise<{ table: Table } | 'conflict' | 'uncertain' | Failure> {
  const version = await versions.stage(table, updateOf(table));
  try {
    return await version.send();
  } catch (error) {
    return error instanceof Failure && error.code !== 'catalog.unknown' ? error : 'uncertain';
  }
}

const updateOf = ({ metadata }: Table): TableUpdate => ({
  requirements: [
    { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
    {
      type: 'assert-last-assigned-partition-id',
      'last-assigned-partition-id': metadata['last-partition-id'],
    },
  ],
  updates: [{ action: 'add-spec', spec: { fields: [] } }],
});
