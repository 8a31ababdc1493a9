/**
 * How far a long action is: one redrawn line on a terminal, a plain line every few seconds elsewhere (a bar would
 * flood a log). Always on stderr. Driven by `update`, so it needs no timer and ends with its action.
 */
import type { Clock } from '../base/base.ts';
import { durationFigure, figure, rateFigure } from './figures.ts';

const REDRAW_MS = 100;
const LINE_EVERY_MS = 5_000;
const BAR_WIDTH = 24;

export interface ProgressOptions {
  label: string;
  /** What is counted, in the plural: `events`, `rows`. */
  unit: string;
  total?: number | undefined;
}

export interface Progress {
  /** `done` is the count so far, not an increment; `note` is put at the end of the line. */
  update(done: number, note?: string): void;
  /** Replaces the line with the result. Must be called, also on failure. */
  end(): void;
}

/** The line of stderr that progress is drawn on. */
export interface StatusLine {
  readonly terminal: boolean;
  readonly columns: number;
  /** Draws over the last one; undefined takes it away. */
  status(text: string | undefined): void;
  line(text: string): void;
}

export function startProgress(
  options: ProgressOptions,
  { clock, screen }: { clock: Clock; screen: StatusLine },
): Progress {
  const begun_ms = clock.now();
  let shown_ms = begun_ms;
  let last = { done: 0, note: '' };
  let advanced_ms = begun_ms;
  let ended = false;
  const text = () =>
    progressText(options, {
      ...last,
      elapsed_ms: clock.now() - begun_ms,
      advancing_ms: advanced_ms - begun_ms,
      bar: screen.terminal && !ended,
    });
  return {
    update(done, note = '') {
      if (done !== last.done) advanced_ms = clock.now();
      last = { done, note };
      if (ended || clock.now() - shown_ms < (screen.terminal ? REDRAW_MS : LINE_EVERY_MS)) return;
      shown_ms = clock.now();
      if (screen.terminal) screen.status(text().slice(0, screen.columns - 1));
      else screen.line(text());
    },
    end() {
      if (ended) return;
      ended = true;
      screen.status(undefined);
      screen.line(text());
    },
  };
}

interface State {
  done: number;
  note: string;
  elapsed_ms: number;
  /** Up to the last increase: what goes on after it is no part of the rate. */
  advancing_ms: number;
  bar: boolean;
}

function progressText(
  { label, unit, total }: ProgressOptions,
  { done, note, elapsed_ms, advancing_ms, bar }: State,
): string {
  const of = total === undefined ? '' : ` of ${figure(total)}`;
  const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
  const parts = [
    label,
    ...(bar && share !== undefined ? [`${barText(share)} ${Math.floor(share * 100)}%`] : []),
    `${figure(done)}${of} ${done === 1 && total === undefined ? unit.replace(/s(?= |$)/, '') : unit}`,
    rateFigure({ count: done, elapsed_ms: advancing_ms }),
    durationFigure(elapsed_ms),
    ...(note === '' ? [] : [note]),
  ];
  return parts.join('  ');
}

function barText(share: number): string {
  const full = Math.round(share * BAR_WIDTH);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`;
}
