/**
 * Append consumers of a table: each needs the table's unbroken history from the snapshot on that it consumed, which
 * stands in its own table. Expiry and compaction look here whom to wait for.
 */
import { parseJson, stringifyJson } from '../base/base.ts';
import type { Lake, Table } from '../lake/lake.ts';
import { advance } from './advance.ts';

const CONSUMERS = 'lakeward.consumers';

/** Names of the consumers' tables. */
export function consumersOf({ metadata }: Table): readonly string[] {
  const text = metadata.properties[CONSUMERS];
  return text === undefined ? [] : (parseJson(text) as string[]);
}

/** An empty commit, where it is not registered yet. As a replace it takes no other commit's base away. */
export async function registerConsumer(
  lake: Lake,
  { table, consumer, commitId, writer }: { table: Table; consumer: string; commitId: string; writer: string },
): Promise<void> {
  if (consumersOf(table).includes(consumer)) return;
  await lake.commit(table, {
    commitId,
    operation: 'replace',
    manifests: [],
    stage: (base, attempt) => {
      const staged = advance(base, attempt, { writer });
      if ('refused' in staged) return staged;
      const consumers = [...new Set([...consumersOf(base), consumer])].sort();
      return { ...staged, properties: { ...staged.properties, [CONSUMERS]: stringifyJson(consumers) } };
    },
  });
}
