import { count } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  limit: ownFlag(count({ min: 1, max: 1000 }), 10, { description: 'Show at most this many runs.' }),
} as const;
export type TransformShowAction = Action<typeof flags>;

export const transformShowCommand = (action: TransformShowAction) =>
  defineCommand(
    {
      name: 'transform show',
      summary: 'One transform: its columns, its state, and its last runs.',
      about: [
        'The runs are read from the snapshots of its table: which days each computed, how many rows it wrote and took out, and what it read for them.',
      ],
      arguments: [{ name: 'NAME', description: 'A transform.', required: true }],
      flags,
      json: true,
      examples: [{ line: 'lakeward transform show daily_active', does: 'one in detail' }],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/how-to/transforms.md', 'lakeward tables --help'],
    },
    action,
  );
