import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Failure, stringifyJson } from '../../base/base.ts';
import type { Cell } from '../../engine/engine.ts';
import { openQuery } from '../../query/query.ts';
import type { SqlAction } from '../commands/sql.ts';
import { composeEngine, composeLake } from '../compose.ts';
import { figure } from '../figures.ts';
import { waitingForTyped } from '../output.ts';
import { statsLines } from '../query-stats.ts';
import { textTable } from '../table.ts';
import { visibleJson, visibleLines } from '../visible.ts';

/** Rows that a table for people holds; more than that nobody reads, and they would all have to be in memory. */
const TABLE_ROWS = 10_000;

/** DuckDB lists those without a schema of their own, and there are none. */
const SHOW_TABLES = /^\s*show\s+tables\s*;?\s*$/i;

type Rows = AsyncIterable<readonly (readonly Cell[])[]>;

export const sql: SqlAction = async (context) => {
  const statement = await statementOf(context);
  await using lake = await composeLake(context, 'reads');
  await using engine = await composeEngine(context, lake, 'questions');
  const { columns, chunks, planned } = await openQuery({ lake, engine }).run(statement, {
    signal: context.signal,
  });
  const names = columns.map((column) => column.name);
  await WRITERS[context.flags.format](context.out, names, chunks());
  if (SHOW_TABLES.test(statement))
    context.out.note('every table here has a schema: show all tables, or lakeward tables');
  if (context.flags.stats) for (const line of statsLines(planned)) context.out.note(line);
};

async function statementOf(context: Parameters<SqlAction>[0]): Promise<string> {
  const { args, flags, cwd, stdin, signal } = context;
  if (flags.file !== undefined) return statementIn(resolve(cwd, flags.file));
  if (args[0] !== undefined && args[0] !== '-') return args[0];
  waitingForTyped(context, 'a statement');
  const statement = await text(addAbortSignal(signal, stdin));
  if (statement.trim() !== '') return statement;
  throw new Failure('there is no statement to run', {
    code: 'cli.usage',
    fault: 'user',
    why: 'neither an argument, nor --file, nor stdin holds one',
    hint: 'lakeward sql "select count(*) from staging.events"',
    docs: 'lakeward sql --help',
  });
}

function statementIn(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Failure(`cannot read ${path}`, {
      code: 'sql.no_file',
      fault: 'user',
      why: cause.code === 'ENOENT' ? 'there is no such file' : cause.message,
      hint: 'name a file that holds one question, or give it as an argument',
      docs: 'lakeward sql --help',
      cause,
    });
  });
}

type Writer = (out: Parameters<SqlAction>[0]['out'], names: readonly string[], rows: Rows) => Promise<void>;

const WRITERS: Record<'table' | 'json' | 'ndjson' | 'csv', Writer> = {
  async table(out, names, chunks) {
    // A drawing of many lines: as one cell nobody could read it.
    if (names.join() === 'explain_key,explain_value') return drawing(out, chunks);
    const rows: (readonly Cell[])[] = [];
    let more = false;
    for await (const chunk of chunks) {
      const shown = chunk.slice(0, TABLE_ROWS - rows.length);
      rows.push(...shown);
      more = shown.length < chunk.length;
      if (more) break;
    }
    await out.write(
      textTable(
        names,
        rows.map((row) => row.map(cellText)),
        { paint: out.paint },
      ),
    );
    if (more) out.note(`the first ${figure(TABLE_ROWS)} rows; --format ndjson or csv writes them all`);
  },
  async json(out, names, chunks) {
    let separator = '[';
    for await (const chunk of chunks) {
      for (const row of chunk) {
        await out.write(`${separator}${jsonOf(names, row)}`);
        separator = ',\n ';
      }
    }
    await out.write(separator === '[' ? '[]\n' : ']\n');
  },
  async ndjson(out, names, chunks) {
    for await (const chunk of chunks) {
      await out.write(chunk.map((row) => `${jsonOf(names, row)}\n`).join(''));
    }
  },
  async csv(out, names, chunks) {
    const lineOf = (cells: readonly Cell[]) => `${cells.map((cell) => csvCell(cellText(cell))).join(',')}\n`;
    // A file gets what is there; a terminal would obey some of it.
    const shown = out.terminal ? (line: string) => visibleLines(line) : (line: string) => line;
    await out.write(shown(lineOf(names)));
    for await (const chunk of chunks) await out.write(shown(chunk.map(lineOf).join('')));
  },
};

const jsonOf = (names: readonly string[], row: readonly Cell[]) =>
  visibleJson(stringifyJson(Object.fromEntries(names.map((name, i) => [name, row[i] ?? null]))));

async function drawing(out: Parameters<SqlAction>[0]['out'], chunks: Rows): Promise<void> {
  for await (const chunk of chunks) {
    for (const [, text] of chunk) await out.write(`${visibleLines(String(text)).trimEnd()}\n`);
  }
}

/** Lists and structs as JSON. */
const cellText = (cell: Cell) => (typeof cell === 'object' && cell !== null ? JSON.stringify(cell) : cell);

/** RFC 4180; null is an empty cell. */
function csvCell(cell: string | number | boolean | null): string {
  const written = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(written) ? `"${written.replaceAll('"', '""')}"` : written;
}
