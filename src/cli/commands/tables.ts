import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type TablesAction = Action<typeof flags>;

export const tablesCommand = (action: TablesAction) =>
  defineCommand(
    {
      name: 'tables',
      summary: 'The tables of the lake, or one of them in detail.',
      about: [
        'Without a name: every table with its rows, files, bytes and last commit. With a name: schema, partitions, files, and the snapshots with what each of them brought.',
      ],
      arguments: [{ name: 'NAME', description: 'A table, such as raw.events.' }],
      flags,
      json: true,
      examples: [
        { line: 'lakeward tables', does: 'all of them' },
        { line: 'lakeward tables staging.events', does: 'one in detail' },
        { line: 'lakeward tables raw.events --json', does: 'for a script' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['lakeward sql --help', 'docs/ARCHITECTURE.md'],
    },
    action,
  );
