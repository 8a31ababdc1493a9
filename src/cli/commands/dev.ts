import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type DevAction = Action<typeof flags>;

export const devCommand = (action: DevAction) =>
  defineCommand(
    {
      name: 'dev',
      summary: 'A stream and a lake in this folder, everything running, until Ctrl-C.',
      about: [
        'Starts the embedded stream and every role (processor, quarantine, staging, transforms, maintenance) in one process. Needs no Docker, no account and no other service; the stream speaks the Kinesis protocol, so the AWS CLI and SDKs put to it.',
        'Ctrl-C reads the stream to its end, commits and exits with 0; a second Ctrl-C stops at once. Neither loses an acknowledged event: the next start goes on from what the lake holds. When the port is taken, the next free one is used and named.',
        'Other programs reach the tables at the same time by the Iceberg REST catalog that it serves (serve.port; --serve-catalog off turns it off).',
      ],
      flags,
      json: false,
      examples: [
        { line: 'lakeward dev', does: 'start in ./.lakeward' },
        {
          line: 'lakeward dev --dir /data/lake --commit-max-age 10s',
          does: 'elsewhere, with fewer and larger commits',
        },
        { line: 'lakeward send events.ndjson', does: 'in another terminal: put events into it' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: [
        'lakeward send --help',
        'lakeward sql --help',
        'lakeward serve catalog --help',
        'docs/reference/configuration.md',
      ],
    },
    action,
  );
