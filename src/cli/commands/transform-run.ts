import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type TransformRunAction = Action<typeof flags>;

export const transformRunCommand = (action: TransformRunAction) =>
  defineCommand(
    {
      name: 'transform run',
      summary: 'Bring the tables of use cases up to what staging holds.',
      about: [
        'Runs every transform of the project once, in the order in which they read each other, or only the one that is named. Each goes on from where its own table says it stopped; what it read and what it wrote are one commit.',
        'One that fails stops alone, keeps its position and is named with its reason; the others are run. The exit code is then 1.',
      ],
      arguments: [{ name: 'NAME', description: 'A transform; all when none is named.' }],
      flags,
      json: true,
      examples: [
        { line: 'lakeward transform run', does: 'all of them' },
        { line: 'lakeward transform run daily_active --json', does: 'one, for a script' },
      ],
      readOn: ['docs/how-to/transforms.md', 'lakeward transform show --help'],
      exits: EXITS_OF_LAKE,
    },
    action,
  );
