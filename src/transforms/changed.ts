/**
 * A definition that is not the one the mart was made by. Its days would hold rows of two definitions, so nothing runs
 * until somebody says which days to compute anew.
 */
import { Failure } from '../base/base.ts';
import { currentSnapshot } from '../lake/lake.ts';
import { rangesOf, rangesText } from './days.ts';
import { type Context, martDays } from './partitions.ts';
import { martRecord } from './record.ts';

export async function checkDefinition(context: Context): Promise<void> {
  const { mart } = context;
  if (martRecord(mart.table)!.definition === mart.definition) return;
  if (Number(currentSnapshot(mart.table.metadata)?.summary['total-records'] ?? 0) === 0) return;
  const { name, mode } = mart.transform;
  if (mode === 'append') {
    throw changed(name, {
      why: `the rows of ${mart.table.name} were made by the older definition, and an append transform keeps no days to compute anew`,
      hint: `lakeward transform backfill ${name} makes the table anew from all events`,
    });
  }
  const days = await martDays(context);
  throw changed(name, {
    why: `${days.length === 1 ? '1 day' : `${days.length} days`} of ${mart.table.name} ${days.length === 1 ? 'was' : 'were'} computed by the older definition: ${rangesText(rangesOf(days))}`,
    hint: `lakeward transform backfill ${name} computes them anew (--from and --to: only some; --dry-run: says what it would do)`,
  });
}

function changed(name: string, details: { why: string; hint: string }): Failure {
  return new Failure(`the definition of transform ${name} has changed`, {
    code: 'transform.definition_changed',
    fault: 'user',
    docs: 'docs/how-to/transforms.md',
    ...details,
  });
}
