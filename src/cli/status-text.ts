/** The status for people: a page for a terminal, a line for a log. */
import type { Finding, Status } from '../monitor/monitor.ts';
import type { Told, Untold } from './actions/status.ts';
import { ledgerSentence } from './actions/verify.ts';
import { byteFigure, durationFigure, figure } from './figures.ts';
import type { Paint } from './paint.ts';
import type { ProcessHealth } from './processes.ts';
import { textPairs, textTable } from './table.ts';
import { visible } from './visible.ts';

const SHARDS_SHOWN = 20;
const WORKERS_SHOWN = 50;
const SHARDS_NAMED = 12;

export function statusText(status: Told, { paint }: { paint: Paint }): string {
  return [
    `${verdictText(status, paint)}\n\n`,
    textPairs(
      [
        ['stream', streamText(status)],
        ['staging', stagingText(status)],
        ['ledger', ledgerText(status)],
        ...processPairs(status),
      ],
      { paint },
    ),
    workersText(status, paint),
    shardsText(status, paint),
    tablesText(status, paint),
    ...status.findings.map((finding) => findingText(finding, paint)),
  ].join('');
}

/** One line a refresh where nothing can be redrawn. */
export function statusLine(status: Told): string {
  const { lag_ms, retentionLeft_ms } = status.stream;
  return [
    status.at,
    status.status,
    `stream ${lag_ms === null ? status.stream.state : `${durationFigure(lag_ms)} behind`}`,
    ...(retentionLeft_ms === null ? [] : [`unread kept for ${durationFigure(retentionLeft_ms)}`]),
    `${figure(status.lake.staging.waitingRows)} rows wait for staging`,
    ledgerText(status),
    ...status.findings.map(({ code }) => code),
  ].join(' · ');
}

function verdictText({ status, findings }: Told, paint: Paint): string {
  if (status === 'ok') return paint.bold(paint.green('✓ all is well'));
  const wrong = findings.filter(({ severity }) => severity === 'degraded').length;
  return paint.bold(paint.red(`✗ ${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong`));
}

/** What the processes of a folder say while the lake itself cannot be read. */
export function processesText(told: Pick<Untold, 'at' | 'processes' | 'findings'>, paint: Paint): string {
  if (told.processes.length === 0) return '';
  return [
    '\n',
    textPairs(processPairs(told), { paint }),
    ...told.findings.map((finding) => findingText(finding, paint)),
  ].join('');
}

const processPairs = ({ at, processes }: Pick<Told, 'at' | 'processes'>): [string, string][] =>
  processes.map((process) => ['process', processWords(process, Date.parse(at))]);

export function processWords(
  { pid, uri, status, reasons, lag_ms, lastCommits }: ProcessHealth,
  now_ms: number,
): string {
  const ago = (iso: string) => durationFigure(Math.max(0, now_ms - Date.parse(iso)));
  const since = reasons
    .flatMap((reason) => reason.since ?? [])
    .sort()
    .at(0);
  const [table, at] = Object.entries(lastCommits).reduce<readonly [string?, string?]>(
    (newest, each) => (newest[1] === undefined || each[1] > newest[1] ? each : newest),
    [],
  );
  return [
    `${pid}: ${status}${since === undefined || status !== 'degraded' ? '' : ` for ${ago(since)}`}`,
    `at ${uri}`,
    ...(lag_ms === null
      ? []
      : [lag_ms === 0 ? 'has read to the end' : `reads ${durationFigure(lag_ms)} behind`]),
    ...(at === undefined ? [] : [`last commit ${ago(at)} ago, to ${table}`]),
  ].join(', ');
}

function streamText({ stream }: Status): string {
  const { name, state, lag_ms, retentionLeft_ms } = stream;
  if (state !== 'answers' || lag_ms === null)
    return `${name}: ${state}${stream.why === null ? '' : `, ${stream.why}`}`;
  const lag = lag_ms === 0 ? 'read to its end' : `${durationFigure(lag_ms)} behind`;
  const left =
    retentionLeft_ms === null
      ? ''
      : `; the oldest unread record is kept for ${durationFigure(retentionLeft_ms)}`;
  return `${name}: ${lag}${left}`;
}

function stagingText({ lake: { staging } }: Status): string {
  const waiting =
    staging.waitingRows === 0
      ? 'has all that raw holds'
      : `${figure(staging.waitingRows)} rows wait, the oldest for ${durationFigure(staging.behind_ms ?? 0)}`;
  return staging.freshness_ms === null
    ? waiting
    : `${waiting}; its newest event arrived ${durationFigure(staging.freshness_ms)} ago`;
}

function ledgerText({ lake: { ledger } }: Status): string {
  return ledger === null ? 'nothing received yet' : ledgerSentence(ledger);
}

/** One worker has all shards. */
function workersText({ workers }: Status, paint: Paint): string {
  if (workers.length < 2) return '';
  const live = workers.filter((worker) => worker.live).length;
  return `\n${textTable(
    [`worker (${live} live)`, 'heard of', 'shards', ''],
    workers
      .slice(0, WORKERS_SHOWN)
      .map(({ id, live, silent_ms, shards }) => [
        id,
        `${durationFigure(silent_ms)} ago`,
        live ? shards.length : null,
        live ? shardNames(shards) : 'silent for longer than its lease',
      ]),
    { paint },
  )}`;
}

function shardNames(shards: readonly string[]): string {
  const named = shards.slice(0, SHARDS_NAMED).map((shard) => shard.replace(/^shardId-0*(?=\d)/, ''));
  return shards.length > named.length ? `${named.join(' ')} …` : named.join(' ');
}

/** One shard says no more than the stream does. */
function shardsText({ stream }: Status, paint: Paint): string {
  const { shards, shardsNotAsked } = stream;
  if (shards.length < 2) return '';
  const furthestFirst = shards.toSorted((a, b) => b.lag_ms - a.lag_ms).slice(0, SHARDS_SHOWN);
  const more = shards.length - furthestFirst.length + shardsNotAsked;
  return [
    '\n',
    textTable(
      ['shard', 'behind', 'unread kept for'],
      furthestFirst.map((shard) => [
        shard.shard,
        durationFigure(shard.lag_ms),
        shard.retentionLeft_ms === null ? '' : durationFigure(shard.retentionLeft_ms),
      ]),
      { paint },
    ),
    more === 0 ? '' : `and ${figure(more)} more shards\n`,
  ].join('');
}

function tablesText({ lake: { tables } }: Status, paint: Paint): string {
  if (tables.length === 0) return '';
  return `\n${textTable(
    ['table', 'rows', 'files', 'size', 'snapshots', 'last commit'],
    tables.map((t) => [
      ...[t.name, t.rows, t.files, byteFigure(t.bytes), t.snapshots],
      t.lastCommitAge_ms === null ? null : `${durationFigure(t.lastCommitAge_ms)} ago`,
    ]),
    { paint },
  )}`;
}

function findingText({ code, severity, what, why, fix }: Finding, paint: Paint): string {
  const mark = severity === 'degraded' ? paint.red(`✗ ${visible(what)}`) : paint.yellow(`• ${visible(what)}`);
  const line = (name: string, text: string) => `  ${paint.dim(name)}  ${visible(text)}\n`;
  return `\n${mark} ${paint.dim(`[${code}]`)}\n${line('why', why)}${line('fix', fix)}`;
}
