import { flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  dryRun: ownFlag(flag(), false, {
    description: 'Only say what would be done, and why.',
  }),
} as const;
export type MaintainAction = Action<typeof flags>;

export const maintainCommand = (action: MaintainAction) =>
  defineCommand(
    {
      name: 'maintain',
      summary: 'Keep the tables small: compact files, merge manifests, expire snapshots.',
      about: [
        'Does now what the role maintenance of `lakeward dev` and `lakeward run` does by itself whenever something is due: rewrites small files into few, merges manifests, expires snapshots and deletes what only they needed, and removes files that nothing has referred to for three days. With raw.retention it also drops old days of raw that staging has.',
        'It may run while events come in, and be stopped or killed at any moment: what is not committed did not happen, and nothing is lost or doubled.',
      ],
      arguments: [
        {
          name: 'TABLE',
          description:
            'raw.events, staging.events, quarantine.events, or one of a transform, such as marts.daily_active; all of them when none is named.',
        },
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward maintain --dry-run', does: 'what would be done, and why' },
        { line: 'lakeward maintain', does: 'all of it, for every table' },
        { line: 'lakeward maintain raw.events --raw-retention 90d --json', does: 'one table, for a script' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/how-to/maintain.md', 'docs/reference/configuration.md'],
    },
    action,
  );
