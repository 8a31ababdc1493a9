import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type FindAction = Action<typeof flags>;

export const findCommand = (action: FindAction) =>
  defineCommand(
    {
      name: 'find',
      summary: 'What became of one event.',
      about: [
        'Follows an event_uuid through the lake: its position in the stream, the file and snapshot of raw that hold it, its row in staging, or its place in quarantine with the reason. Every copy that was kept is shown.',
        'The exit code is 1 when it is nowhere.',
      ],
      arguments: [{ name: 'EVENT_UUID', description: 'The event_uuid, as it was sent.', required: true }],
      flags,
      json: true,
      examples: [{ line: 'lakeward find 7b8a1f0e-3c6d-4b8e-9a55-0d5b7f6f2c11', does: 'where is it?' }],
      exits: EXITS_OF_LAKE,
      readOn: ['lakeward sql --help', 'lakeward quarantine list --help'],
    },
    action,
  );
