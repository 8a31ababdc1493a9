import { count, flag, path } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag, ownFlagUnset } from '../command.ts';
import { EXIT, EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  out: ownFlagUnset(path('FILE'), {
    description: 'The file to write. Default: lakeward-events.ts in this folder.',
  }),
  check: ownFlag(flag(), false, {
    description: 'Write nothing; exit with 3 where the file is not what would be written.',
  }),
  sample: ownFlag(count({ min: 1, max: 1_000_000 }), 1_000, {
    description: 'Documents of each event name that are looked at, at most.',
  }),
  files: ownFlag(count({ min: 1, max: 1_000_000 }), 1_000, {
    description: 'Files of staging that are looked at, at most: the newest.',
  }),
} as const;
export type TypesAction = Action<typeof flags>;

export const typesCommand = (action: TypesAction) =>
  defineCommand(
    {
      name: 'types',
      summary: 'TypeScript types of the events in staging, by name.',
      about: [
        'Looks at a bounded sample of the documents in staging and writes a type for each event name: fields that are not always there are optional, a field of several kinds is a union, nested objects and arrays are as they occur. For the events that a test gives to testTransform.',
        'The same table gives the same file. What is rarer than the sample is not in it.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward types --out events.ts', does: 'write them' },
        { line: 'lakeward types --out events.ts --check', does: 'in CI: have the events changed?' },
      ],
      exits: [EXIT.differences, ...EXITS_OF_LAKE],
      readOn: ['docs/how-to/transforms.md'],
    },
    action,
  );
