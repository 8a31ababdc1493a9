/**
 * Whether a text is one question. DuckDB's parser says what stands in it, and nothing is bound or prepared before:
 * preparing an EXPORT DATABASE makes its folder. What could change files, settings or tables is refused, also inside
 * an EXPLAIN, which DuckDB runs when it says ANALYZE.
 */
import { type DuckDBConnection, StatementType } from '@duckdb/node-api';
import { Failure } from '../../base/base.ts';
import { literal } from './sql.ts';

/** The text whose plan tells what is read, or `pivot` for a PIVOT over values that are not known before it runs. */
export type Question = { planned: string } | 'pivot';

/** Throws Failure `query.not_a_question`, or what DuckDB says where it cannot parse the text. */
export async function questionOf(c: DuckDBConnection, sql: string): Promise<Question> {
  const explained = EXPLAIN.exec(sql);
  const planned = explained === null ? sql : sql.slice(explained[0].length);
  const questions = await countQuestions(c, planned);
  if (questions === 1) return { planned };
  if (questions === 0) throw new Error('there is no statement in it');
  if (questions === undefined && explained === null && (await isPivot(c, sql))) return 'pivot';
  throw refused(
    questions === undefined ? 'it is no query, or not only one' : `it is ${questions} questions at once`,
  );
}

const COMMENT = String.raw`(?:\s|--[^\n]*(?:\n|$)|/\*[^]*?\*/)`;
const EXPLAIN = new RegExp(`^${COMMENT}*explain\\b${COMMENT}*(?:analyze\\b|\\([^()]*\\))?`, 'i');

/** Undefined when a statement among them is no query. FROM, VALUES, DESCRIBE, SUMMARIZE and SHOW are queries. */
async function countQuestions(c: DuckDBConnection, sql: string): Promise<number | undefined> {
  const rows = (await c.runAndReadAll(`select json_serialize_sql(${literal(sql)})`)).getRowsJson();
  const parsed = JSON.parse(String(rows[0]![0])) as Parsed;
  if (!parsed.error) return parsed.statements.length;
  if (parsed.error_type === 'parser') throw new Error(`Parser Error: ${parsed.error_message}`);
  return undefined;
}

type Parsed =
  | { error: false; statements: unknown[] }
  | { error: true; error_type: string; error_message: string };

/**
 * A PIVOT that does not list its values is two statements to DuckDB: one creates a type for them, the other asks. In
 * parentheses only a query parses, and the only one that begins with a CREATE is a PIVOT; a text that closes the
 * parenthesis and goes on has more than these two statements, or begins with another.
 */
async function isPivot(c: DuckDBConnection, sql: string): Promise<boolean> {
  const wrapped = `from (\n${sql.trim().replace(/;$/, '')}\n)`;
  const statements = await c.extractStatements(wrapped).catch(() => undefined);
  if (statements?.count !== 2) return false;
  const first = await statements.prepare(0);
  try {
    return first.statementType === StatementType.CREATE;
  } finally {
    first.destroySync();
  }
}

function refused(why: string): Failure {
  return new Failure('this is not one question', {
    code: 'query.not_a_question',
    fault: 'user',
    why,
    hint: 'ask one thing with SELECT, WITH, FROM, VALUES, PIVOT, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN; to keep an answer: --format csv > answer.csv',
    docs: 'docs/reference/cli.md',
  });
}
