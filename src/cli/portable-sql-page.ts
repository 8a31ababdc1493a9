/** The page of what a transform's SQL may use on every engine, from the engine's own lists. */
import { AGGREGATES, SCALARS, WINDOWS } from '../engine/engine.ts';

const OPERATOR = /^\W+$/;

/** How a user writes what DuckDB's parser calls by another name. */
const WRITTEN: Readonly<Record<string, string>> = {
  '~~': 'like',
  '!~~': 'not like',
  '~~*': 'ilike',
  '!~~*': 'not ilike',
  count_star: 'count(*)',
};

const listOf = (names: readonly string[]): string =>
  names.map((name) => `\`${(WRITTEN[name] ?? name).replaceAll('|', '\\|')}\``).join(', ');

export function portableSqlPage(): string {
  const scalars = Object.keys(SCALARS);
  const intervals = scalars.filter((name) => /^to_(?!timestamp)/.test(name));
  const operators = scalars.filter((name) => OPERATOR.test(name));
  const functions = scalars.filter((name) => !(intervals.includes(name) || operators.includes(name)));
  const windows = Object.values(WINDOWS).map(({ spark }) => spark);
  return `# SQL that gives the same on every engine
<!-- Made by \`npm run reference\` from src/engine/portable. Do not edit. -->
A transform's SQL is DuckDB's dialect. With \`engine.kind: spark\` it is printed anew for Spark from DuckDB's parse tree,
and may use what is listed here: each entry is run on both engines, over awkward values, by \`make spark\`, which compares
the rows. Anything else is refused before it runs, with its line and column and what to write instead.
\`lakeward transform check\` says the same without a lake and without Spark. With DuckDB, the default, all of DuckDB's
SQL may be used.

| what | portable |
|---|---|
| operators | ${listOf(operators)}, comparisons, \`and\`, \`or\`, \`not\`, \`between\`, \`in\`, \`is [not] null\`, \`is [not] distinct from\`, \`case\`, \`coalesce\`, \`ifnull\`, \`if\` |
| functions | ${listOf(functions)} |
| intervals | \`interval 3 day\`, \`interval '90 minutes'\` (one number and unit), ${listOf(intervals)} |
| JSON | \`document->>'$.a.b[0]'\`, \`json_extract_string\`: paths of names and positions; \`->\` only on the way to a \`->>\` |
| casts | to \`boolean\`, \`tinyint\`, \`smallint\`, \`integer\`, \`bigint\`, \`float\`, \`double\`, \`decimal\`, \`varchar\`, \`date\`, \`timestamp\`, \`timestamptz\`; \`try_cast\` |
| aggregates | ${listOf(Object.keys(AGGREGATES))}, with \`filter\`, and \`distinct\` |
| window functions | ${listOf(windows)}, and the aggregates without \`filter\`, \`distinct\`, \`arg_max\` and its like; frames by \`rows\` |
| queries | \`with\`, joins with \`on\` or \`using\` (inner, left, right, full, semi, anti, cross), \`values\`, queries as tables and as values, \`exists\`, \`in\`, \`union\`, \`intersect\`, \`except\`, \`group by\` (also \`all\`, positions, names), \`having\`, \`qualify\`, \`distinct\`, \`order by\`, \`limit\` |

## What is bridged
Where the engines differ and one can be made to do what the other does, the printed SQL does: nulls are last in every
order; a division by zero is infinite, \`%\` by zero is null; text and decimals round half away from zero when they become
integers, doubles half to even; a backslash in \`like\` is a backslash; \`qualify\`, which Spark lacks, becomes a query
around the query; weeks, days of the week and differences of dates are counted as DuckDB counts them; averages of whole
numbers and decimals divide their exact sum; text as a number, truth, date or time is read as DuckDB reads it, so that
\`today\`, \`2026-01\` and \`1f\` are none.

## What fails
Where a value would become another and only the value tells, Spark fails with a message that says what to write instead:
- a \`double\` as text, and one with more than 18 digits as a decimal; \`%\` of a \`double\` by zero; \`sqrt\` below zero
- \`upper\`, \`lower\` and \`ilike\` of texts with letters whose other case the engines write differently (\`ß\`, \`İ\`, \`Σ\`)
- text such as \`2026/01/31\` as a date, \`0x10\` as a number; a JSON number beyond 10^20 or below 0.000001 as text
- \`epoch\` of a fraction of a second before 1970; averages and medians of times

## What is left
- Sums and averages of \`double\` depend on the order of the rows, on either engine: their last digits may differ. Sums of
  integers and decimals do not.
- \`arg_max\` and its like, \`first_value\` and \`row_number\` are by chance where the order has ties, on either engine.
- The sign of a zero that \`ceil\`, \`floor\` or \`round\` makes of a \`double\`.
- A JSON number as text (\`->>\` without a cast) is the same up to 17 digits. In Spark a text of
  the document that looks like \`1.5E8\` is written as a number is.
`;
}
