import { flag, instant } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag, ownFlagUnset } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  from: ownFlagUnset(instant(), { placeholder: 'DAY', description: 'The first day to compute anew.' }),
  to: ownFlagUnset(instant(), { placeholder: 'DAY', description: 'The last day to compute anew.' }),
  dryRun: ownFlag(flag(), false, { description: 'Say what it would do, and do nothing.' }),
} as const;
export type TransformBackfillAction = Action<typeof flags>;

export const transformBackfillCommand = (action: TransformBackfillAction) =>
  defineCommand(
    {
      name: 'transform backfill',
      summary: 'Compute days of a transform anew, by its definition as it is now.',
      about: [
        'After a change of a definition the days that its table holds are still those of the older one, and the transform waits until this command says which are to be computed anew: all of them, or those from --from to --to; the others stay marked as of an older definition.',
        'It may run beside everything else: what a newer run wrote is never overwritten, and one that is stopped goes on where it was when it is started again for the days that are left. A transform of mode append keeps no days; its table is made anew from all events.',
      ],
      arguments: [{ name: 'NAME', description: 'A transform.', required: true }],
      flags,
      json: true,
      examples: [
        { line: 'lakeward transform backfill daily_active --dry-run', does: 'what would be done' },
        {
          line: 'lakeward transform backfill daily_active --from 2026-01-01 --to 2026-01-31',
          does: 'one month',
        },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/how-to/transforms.md', 'lakeward transform show --help'],
    },
    action,
  );
