/**
 * Tables for people: aligned columns, numbers to the right. Cells come from events, which anyone may have sent, so
 * control characters are made visible: an escape sequence in an event must not reach the terminal.
 */
import { figure } from './figures.ts';
import { type Paint, plain } from './paint.ts';
import { visible } from './visible.ts';

export type Cell = string | number | bigint | boolean | null | undefined;

export interface TableOptions {
  paint?: Paint;
  /** Cells longer than this are cut, with an ellipsis. */
  cellWidth?: number;
}

export function textTable(
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions = {},
): string {
  const { paint = plain, cellWidth = 120 } = options;
  const texts = rows.map((row) => columns.map((_, i) => cut(cellText(row[i]), cellWidth)));
  const right = columns.map(
    (_, i) =>
      rows.length > 0 && rows.every((row) => isNumberOrEmpty(row[i])) && rows.some((row) => row[i] != null),
  );
  const widths = columns.map((name, i) => Math.max(width(name), ...texts.map((row) => width(row[i]!))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => pad(cell, { to: widths[i]!, right: right[i]!, last: i === columns.length - 1 }))
      .join('  ')
      .trimEnd();
  return [paint.bold(line(columns)), ...texts.map(line)].map((each) => `${each}\n`).join('');
}

/** `name  value` pairs, one a line, values aligned. */
export function textPairs(
  pairs: readonly (readonly [string, Cell])[],
  { paint = plain }: { paint?: Paint } = {},
): string {
  const widest = Math.max(0, ...pairs.map(([name]) => width(name)));
  return pairs
    .map(
      ([name, value]) =>
        `${paint.dim(pad(name, { to: widest, right: false, last: false }))}  ${cellText(value)}`.trimEnd() +
        '\n',
    )
    .join('');
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'bigint' || Number.isSafeInteger(cell)) return figure(cell as number | bigint);
  return visible(String(cell));
}

function isNumberOrEmpty(cell: Cell): boolean {
  return cell === null || cell === undefined || typeof cell === 'number' || typeof cell === 'bigint';
}

function cut(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

function pad(text: string, { to, right, last }: { to: number; right: boolean; last: boolean }): string {
  const gap = ' '.repeat(Math.max(0, to - width(text)));
  if (right) return gap + text;
  return last ? text : text + gap;
}

/** Columns in a terminal: wide (East Asian, emoji) characters take two, combining marks none. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}
