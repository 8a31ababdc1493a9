import { choice, flag, path } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag, ownFlagUnset } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  file: ownFlagUnset(path('FILE'), { short: '-f', description: 'Read the statement from a file.' }),
  format: ownFlag(choice('table', 'json', 'ndjson', 'csv'), 'table', {
    description:
      'How rows are written: aligned for people, one JSON array of objects, one object a line, or CSV with a header.',
  }),
  stats: ownFlag(flag(), false, {
    description: 'Say afterwards, on stderr, what was read of each table and what was left out.',
  }),
} as const;
export type SqlAction = Action<typeof flags>;

export const sqlCommand = (action: SqlAction) =>
  defineCommand(
    {
      name: 'sql',
      summary: 'Ask the lake a question.',
      about: [
        'Runs a statement in DuckDB over the current snapshots. raw.events, staging.events and quarantine.events are read-only views; a filter on the day or the event type opens only the files that can hold a match.',
        'The whole event is in the column document; reach into it with ->> and a path.',
      ],
      arguments: [{ name: 'SQL', description: 'The statement; - or none without --file: stdin.' }],
      flags,
      json: false,
      examples: [
        {
          line: 'lakeward sql "select event_type, count(*) from staging.events group by all order by 2 desc"',
          does: 'which types of event there are',
        },
        {
          line: `lakeward sql "select document->>'$.lesson_id' as lesson, count(*) from staging.events where event_name = 'lesson:started' group by all"`,
          does: 'reach into the document',
        },
        { line: 'lakeward sql -f question.sql --format csv > answer.csv', does: 'from a file, into a file' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['lakeward tables --help', 'https://duckdb.org/docs/stable/sql/introduction'],
    },
    action,
  );
