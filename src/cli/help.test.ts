import { describe, expect, test } from 'vitest';
import { allCommands } from './commands.ts';
import { helpText, helpWidth, overviewText } from './help.ts';
import { plain } from './paint.ts';

const commands = allCommands(() => Promise.reject(new Error('help runs nothing')));

test('the help of a command says what it does, how to call it, what holds by default, and where to go on', () => {
  const find = commands.find(({ name }) => name === 'find')!;
  expect(helpText(find)).toBe(`lakeward find: What became of one event.

Follows an event_uuid through the lake: its position in the stream, the file and snapshot of raw
that hold it, its row in staging, or its place in quarantine with the reason. Every copy that was
kept is shown.

The exit code is 1 when it is nowhere.

Usage
  lakeward find EVENT_UUID [options]

Arguments
  EVENT_UUID  The event_uuid, as it was sent.

Options (also from the environment and the config file)
  --dir DIR               The folder of the lake: tables, catalog, embedded stream and working
                          files. Default: ./.lakeward. Environment: LAKEWARD_DIR
  --store, --store-url s3://BUCKET/PREFIX
                          Where the tables are, if not in the folder: a prefix of an S3 bucket, of
                          Amazon or of any store that honours conditional writes. Environment:
                          LAKEWARD_STORE_URL
  --store-endpoint URL    Address of an S3 store that is not Amazon’s own. Environment:
                          LAKEWARD_STORE_ENDPOINT
  --catalog-kind auto|sqlite|bucket|rest
                          Who keeps which version of each table is the current one: a file of the
                          folder, the bucket itself, or a service. auto: rest with a catalog.uri,
                          bucket with a store.url, else sqlite. Default: auto. Environment:
                          LAKEWARD_CATALOG_KIND
  --catalog-uri URL       Address of an Iceberg REST catalog, without /v1. Environment:
                          LAKEWARD_CATALOG_URI
  --engine-memory SIZE    Memory that the SQL engine may use; beyond it, it spills to disk. 128 MB
                          of it, or a quarter where that is less, are set aside for what it does not
                          count. Default: 1GB. Environment: LAKEWARD_ENGINE_MEMORY
  --engine-threads N      Threads of the SQL engine. Default: the number of cores. Environment:
                          LAKEWARD_ENGINE_THREADS
  --log-level debug|info|warn|error
                          The least important log entries to write, on stderr. Default: warn.
                          Environment: LAKEWARD_LOG_LEVEL
  --log-format auto|pretty|json
                          How log entries are written: for people, or one JSON object a line. auto:
                          for people on a terminal, else JSON. Default: auto. Environment:
                          LAKEWARD_LOG_FORMAT

General
  --config FILE  The config file to read. Environment: LAKEWARD_CONFIG
  --json         Answer with one JSON object on stdout: {ok, data} or {ok, error}.
  -h, --help     Show this help.

Examples
  # where is it?
  lakeward find 7b8a1f0e-3c6d-4b8e-9a55-0d5b7f6f2c11

Exit codes
  0    done
  1    failed; the message says why and what to do
  2    the command line or the configuration is wrong; nothing was done
  4    credentials are missing, wrong or not allowed to do this
  5    a service did not answer as it should; the same again later may work
  70   a bug in lakeward; please report it
  130  stopped by Ctrl-C before its work was done; what it committed stays

Read on
  lakeward sql --help
  lakeward quarantine list --help
`);
});

describe('help of every command', () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    '%s fits a terminal and has an example',
    (_, command) => {
      const lines = helpText(command).split('\n');
      const examples = command.examples.map(({ line }) => `  ${line}`);
      expect(lines.filter((line) => line.length > 100 && !examples.includes(line))).toEqual([]);
      expect(command.examples.length).toBeGreaterThan(0);
    },
  );

  test('names the exits of a store elsewhere where there may be one', () => {
    const lakes = commands.filter((command) => helpText(command).includes('  --store, '));
    expect(commands.filter((command) => !lakes.includes(command)).map(({ name }) => name)).toEqual([
      ...['init', 'transform check', 'forecast'],
    ]);
    // Health has a verdict, whatever it is about.
    for (const { name, exits = [] } of lakes.filter(({ name }) => name !== 'health'))
      expect({ name, exits }).toEqual({ name, exits: expect.arrayContaining([4, 5]) });
  });

  test('shows defaults as one would write them', () => {
    const help = (asked: string) => helpText(commands.find(({ name }) => name === asked)!);
    expect(help('status')).toContain('Time between two refreshes. Default: 2s.');
    expect(help('demo')).toContain('How many events to simulate. Default: 200_000.');
  });

  test('is reached from the overview, where each stands once', () => {
    const overview = overviewText({ commands, version: '1.2.3', paint: plain, width: 100 });
    for (const { name, summary } of commands) {
      expect(
        overview.split('\n').filter((line) => line.startsWith(`  ${name} `) && line.endsWith(summary)),
      ).toHaveLength(1);
    }
    expect(overview).not.toContain('Others');
  });
});

test.each([40, 80, 100])(
  'on a terminal of %i columns, text is broken between words before it ends',
  (columns) => {
    const width = helpWidth(columns);
    expect(width).toBe(columns);
    for (const command of commands) {
      const [text = ''] = helpText(command, { paint: plain, width }).split('\nExamples\n');
      for (const line of text.split('\n')) {
        const isSpelling = /^ {2}-|^ {2}lakeward|^[A-Z][^.]+$/.test(line);
        const words = line.trim().split(' ');
        if (!isSpelling && words.length > 1) expect(line.length, line).toBeLessThanOrEqual(columns);
      }
    }
  },
);

test('no help is wider than 100 columns or narrower than 40', () => {
  expect([helpWidth(undefined), helpWidth(300), helpWidth(12)]).toEqual([100, 100, 40]);
});
