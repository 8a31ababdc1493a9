import { flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

export const ROLES = ['processor', 'quarantine', 'staging', 'transforms', 'maintenance'] as const;
export type Role = (typeof ROLES)[number];

const flags = {
  once: ownFlag(flag(), false, {
    description: 'Take what the stream holds now, bring it through every role that was asked for, and end.',
  }),
} as const;
export type RunAction = Action<typeof flags>;

export const runCommand = (action: RunAction) =>
  defineCommand(
    {
      name: 'run',
      summary: 'Run the roles of a deployment.',
      about: [
        'The processor takes events from the stream, drops repeats inside the watermark and writes raw; quarantine adopts what could not be an event; staging drops every other repeat and sorts; transforms keep the tables of use cases, where the project has any; maintenance keeps the tables small in files and metadata. Without a role all of them run.',
        'Positions are part of the commits of the lake, so a role can be stopped, killed, moved or started twice at any moment: it goes on from what the lake holds.',
        'With --once the end is fixed at the start, by the stream’s own clock; the exit code is 0 only when nothing from before that moment is left.',
      ],
      arguments: [
        {
          name: 'ROLE',
          description: 'The roles to run; all when none is named.',
          repeated: true,
          choices: ROLES,
        },
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward run', does: 'all roles, until Ctrl-C or SIGTERM' },
        {
          line: 'lakeward run --once --json',
          does: 'from a scheduler: bring the lake up to date and report',
        },
        {
          line: 'lakeward run processor --stream clicks --endpoint http://127.0.0.1:4566',
          does: 'one role, from a stream at another endpoint',
        },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/reference/configuration.md', 'docs/ARCHITECTURE.md', 'lakeward verify --help'],
    },
    action,
  );
