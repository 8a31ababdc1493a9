import { duration, flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  watch: ownFlag(flag(), false, {
    description:
      'Show it again and again, until Ctrl-C, and wait for a lake that is not there yet. With --json: one line a refresh.',
  }),
  interval: ownFlag(duration({ min: 100 }), 2_000, { description: 'Time between two refreshes.' }),
} as const;
export type StatusAction = Action<typeof flags>;

export const statusCommand = (action: StatusAction) =>
  defineCommand(
    {
      name: 'status',
      summary: 'How far behind it is, how fresh the tables are, what is wrong and what to do.',
      about: [
        'Tells from the lake alone, and from the stream where it answers: how far each shard is behind and how long until unread records are trimmed, the last commit of every table, what waits for staging, the ledger, and what is wrong with what to do about it. It takes and commits nothing, and may run beside everything else or on a folder where nothing runs.',
        'Asking how far behind a shard is takes one read of one record; Amazon allows five reads a second for each shard.',
        'Where the catalog or the store is away it ends with that failure, and tells before what the processes that run on the folder say of themselves.',
        'The exit code is 0 whatever it shows of the lake; lakeward health is for scripts.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward status', does: 'once' },
        { line: 'lakeward status --watch --interval 5s', does: 'again every five seconds' },
        { line: 'lakeward status --json', does: 'for a script' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/reference/status.md', 'docs/how-to/monitor.md', 'lakeward health --help'],
    },
    action,
  );
