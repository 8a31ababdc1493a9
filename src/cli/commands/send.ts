import { count } from '../../config/config.ts';
import { type Action, defineCommand, ownFlagUnset } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  limit: ownFlagUnset(count({ min: 1 }), { description: 'Send at most this many records.' }),
} as const;
export type SendAction = Action<typeof flags>;

export const sendCommand = (action: SendAction) =>
  defineCommand(
    {
      name: 'send',
      summary: 'Put events from files into the stream.',
      about: [
        'Reads NDJSON (one JSON document a line) or one JSON array, also compressed (.gz), and puts each document as one record through the Kinesis protocol. Records that the stream refuses for the moment are put again; the command ends when every one is acknowledged.',
        'A line that is not JSON is put as it is: judging it is the processor’s job, and it ends up in quarantine with its reason.',
        'A running lakeward dev on the same folder receives the events; without one the embedded stream is opened for as long as it takes.',
      ],
      arguments: [{ name: 'FILE', description: 'Files to read; - or none: stdin.', repeated: true }],
      flags,
      json: true,
      examples: [
        { line: 'lakeward send events.ndjson more.json.gz', does: 'two files, one after the other' },
        {
          line: `echo '{"event_uuid":"1","event_name":"account:created","created_at":1767225600}' | lakeward send -`,
          does: 'one event from stdin',
        },
        { line: 'lakeward send big.ndjson --limit 10k', does: 'a taste of a large file' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/reference/reasons.md', 'lakeward sql --help'],
    },
    action,
  );
