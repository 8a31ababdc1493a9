import { type Action, defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';

const flags = {} as const;
export type TransformCheckAction = Action<typeof flags>;

export const transformCheckCommand = (action: TransformCheckAction) =>
  defineCommand(
    {
      name: 'transform check',
      summary: 'Whether transforms give the same on every engine; needs no lake.',
      about: [
        'Reads the SQL of every transform of the project, or of the one that is named, and names each place that is not known to give the same rows on DuckDB and on Spark. With engine.kind duckdb such a transform runs all the same; with spark it does not, and says the same.',
        'What may be used is listed in docs/reference/portable-sql.md. The exit code is 3 when something was found.',
      ],
      arguments: [{ name: 'NAME', description: 'A transform; all when none is named.' }],
      flags,
      json: true,
      examples: [
        { line: 'lakeward transform check', does: 'all of them, in CI' },
        { line: 'lakeward transform check daily_active --json', does: 'one, for a script' },
      ],
      exits: [EXIT.differences],
      readOn: ['docs/reference/portable-sql.md', 'docs/how-to/spark.md'],
    },
    action,
  );
