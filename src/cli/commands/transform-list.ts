import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type TransformListAction = Action<typeof flags>;

export const transformListCommand = (action: TransformListAction) =>
  defineCommand(
    {
      name: 'transform list',
      summary: 'The transforms of the project, and how far each is.',
      about: [
        'Name, mode, what it reads, the rows of its table, when it last committed, and whether its definition is the one that its table was made by.',
      ],
      flags,
      json: true,
      examples: [{ line: 'lakeward transform list', does: 'all of them' }],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/how-to/transforms.md'],
    },
    action,
  );
