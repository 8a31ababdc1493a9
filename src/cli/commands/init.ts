import { type Action, defineCommand } from '../command.ts';

const flags = {} as const;
export type InitAction = Action<typeof flags>;

export const initCommand = (action: InitAction) =>
  defineCommand(
    {
      name: 'init',
      summary: 'Begin a project: a configuration, a first transform and its test.',
      about: [
        'Writes lakeward.config.ts, transforms/daily-active.ts with its test, package.json and .gitignore into the folder. What is there already is kept as it is.',
        'Where the folder cannot find the package lakeward yet, it is linked into its node_modules, so that the test runs at once, with nothing to install.',
      ],
      arguments: [
        {
          name: 'FOLDER',
          description: 'The folder of the project; made when it is not there. Default: this one.',
        },
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward init', does: 'in this folder' },
        { line: 'lakeward init analytics', does: 'in a new one' },
      ],
      readOn: ['docs/how-to/transforms.md', 'lakeward transform run --help'],
    },
    action,
  );
