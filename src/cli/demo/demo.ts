/** The tour: a simulated product, its events through everything, questions with checked answers, the proof. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../base/base.ts';
import type { Origin } from '../../config/config.ts';
import { openQuery } from '../../query/query.ts';
import { type Verified, verifyLake } from '../../verify/verify.ts';
import { verdict } from '../actions/verify.ts';
import type { CommandContext } from '../command.ts';
import type { DemoAction } from '../commands/demo.ts';
import { composeEngine, newId, spoolFolder } from '../compose.ts';
import { type Embedded, openEmbedded } from '../embedded.ts';
import { readEndpoint } from '../endpoint-file.ts';
import { EXIT } from '../exit.ts';
import { counted, durationFigure, figure } from '../figures.ts';
import type { Paint } from '../paint.ts';
import { programIn, sameFlags, shortPath } from '../paste.ts';
import { eventLimits } from '../roles.ts';
import { textTable } from '../table.ts';
import { damage } from './damage.ts';
import { isRight, QUESTIONS } from './questions.ts';
import { simulate } from './simulation.ts';

const SEED = 20260101;
const TWO_WEEKS_S = 14 * 86_400;
/** What a command after this one would not find by itself. */
const OWN: Origin = { from: 'flag', where: 'lakeward demo' };

export const demo: DemoAction = async (given) => {
  const { out, flags, clock, signal } = given;
  const context = ofItsOwn(given);
  await freshFolder(context.settings.dir);
  await using embedded = await openEmbedded(context);
  const begun_ms = clock.now();
  const corpus = corpusOf(flags.events, clock.now());
  out.note(
    out.notePaint.bold(
      `${figure(flags.events)} events of a language-learning product, with repeats and damage,`,
    ),
  );
  out.note(
    `through a Kinesis-protocol stream at ${embedded.server.endpoint} into ${context.settings['store.url'] ?? context.settings.dir}\n`,
  );
  await flow(context, embedded, corpus);
  out.note('');
  signal.throwIfAborted();
  const elapsed = durationFigure(clock.now() - begun_ms);
  const answers = await ask(context, embedded, corpus);
  const verified = await prove(context, embedded);
  const wrong = answers.filter((answer) => !answer.right);
  const data = {
    elapsed_ms: clock.now() - begun_ms,
    sent: corpus.sent,
    truth: corpus.truth,
    answers,
    verified,
  };
  await out.result(data, (paint) =>
    [
      ...answers.map((answer) => answerText(answer, paint)),
      paint.bold('Was anything lost or doubled?'),
      verdict(verified, paint),
      `${figure(corpus.sent.sent)} records in ${elapsed}. ${repeatsSentence(verified)}`,
      next(context),
    ].join('\n'),
  );
  if (flags.keep) {
    out.note('Running until Ctrl-C.');
    await embedded.run(signal);
  }
  return wrong.length === 0 && verified.findings.length === 0 ? EXIT.ok : EXIT.differences;
};

/** A folder, a stream and a place in the store that are the demo's alone. */
function ofItsOwn(given: Parameters<DemoAction>[0]) {
  return {
    ...given,
    settings: {
      ...given.settings,
      dir: join(given.settings.dir, 'demo'),
      'store.url': freshPrefix(given.settings['store.url']),
      // Not what the project may be set to: by this name every command with --dir finds it again.
      'stream.name': 'events',
    },
    origins: {
      ...given.origins,
      dir: OWN,
      ...(given.settings['store.url'] !== undefined && { 'store.url': OWN }),
    },
  };
}

function answerText({ title, sql, columns, rows, right, checked }: Answer, paint: Paint): string {
  const mark = right
    ? paint.green('✓ as the simulation has it')
    : paint.red('✗ the simulation has it otherwise');
  const values = rows.map((row) => Object.values(row) as (string | number)[]);
  const table = textTable(columns, values, { paint }).trimEnd();
  return [paint.bold(title), paint.dim(sql), table, ...(checked ? [mark] : []), ''].join('\n');
}

/** Why raw has more rows than staging: nothing but this lets rows of a fresh lake end in raw. */
function repeatsSentence({ ledger, events }: Verified): string {
  const kept = ledger.written - events;
  return kept > 0
    ? `raw holds ${counted(kept, 'repeat')} that came too late for its watermark; staging has none.`
    : 'raw holds no repeats.';
}

/** A bucket is not cleared: what a demo leaves in it stays until somebody deletes it. */
const freshPrefix = (url: string | undefined) =>
  url === undefined ? undefined : `${url.replace(/\/+$/, '')}/demo-${newId().slice(0, 8)}`;

/** Only ever the folder named demo inside --dir, and never one that is in use. */
async function freshFolder(dir: string): Promise<void> {
  if ((await readEndpoint(dir)) !== undefined) {
    throw new Failure('a demo is running in this folder already', {
      code: 'cli.folder_in_use',
      fault: 'user',
      why: `${dir} is in use`,
      hint: 'stop it, or name another folder with --dir',
      docs: 'lakeward demo --help',
    });
  }
  await rm(dir, { recursive: true, force: true });
}

function corpusOf(events: number, now_ms: number) {
  const simulation = simulate({ seed: SEED, events, starts_at: Math.floor(now_ms / 1000) - TWO_WEEKS_S });
  const damaged = damage(simulation.events, { seed: SEED });
  return { records: damaged.records, sent: damaged.truth, truth: simulation.truth };
}

type Corpus = ReturnType<typeof corpusOf>;
type Context = CommandContext<{ [Key in never]: never }>;

/** Sends while everything runs; returns when the last event is staged. */
async function flow(
  context: Pick<Context, 'out' | 'signal'>,
  embedded: Embedded,
  corpus: Corpus,
): Promise<void> {
  const progress = context.out.progress({ label: 'stream → raw → staging', unit: 'records sent' });
  const sofar = { sent: 0, raw: 0, staged: 0, duplicate: 0, quarantined: 0 };
  const show = () =>
    progress.update(
      sofar.sent,
      `raw ${figure(sofar.raw)}  staged ${figure(sofar.staged)}  repeats dropped ${figure(sofar.duplicate)}  quarantined ${figure(sofar.quarantined)}`,
    );
  const sentAll = new AbortController();
  const running = embedded.run(AbortSignal.any([sentAll.signal, context.signal]), {
    onRaw: ({ tally }) => {
      sofar.raw += tally.written;
      sofar.duplicate += tally.duplicate;
      sofar.quarantined += tally.quarantined;
      show();
    },
    onStaging: ({ written, duplicate }) => {
      sofar.staged += written;
      sofar.duplicate += duplicate;
      show();
    },
  });
  try {
    const sending = embedded.stream.send(bytesOf(corpus, context.signal), {
      onProgress: ({ records }) => {
        sofar.sent = records;
        show();
      },
    });
    // Whichever fails first is what went wrong; the other is waited for.
    await Promise.race([sending, running.then(() => sending)]);
  } finally {
    sentAll.abort();
    await running;
    show();
    progress.end();
  }
}

async function* bytesOf({ records }: Corpus, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const { bytes } of records) {
    if (signal.aborted) return;
    yield bytes;
  }
}

type Answer = Awaited<ReturnType<typeof ask>>[number];

async function ask(context: Parameters<DemoAction>[0], embedded: Embedded, { truth }: Corpus) {
  await using engine = await composeEngine(context, embedded.lake, 'questions');
  const query = openQuery({ lake: embedded.lake, engine });
  const answers = [];
  for (const question of QUESTIONS) {
    const { rows } = await query.all(question.sql);
    answers.push({
      title: question.title,
      sql: question.sql,
      columns: Object.keys(rows[0] ?? {}),
      rows,
      checked: question.expected !== undefined,
      right: isRight(question, rows, truth),
    });
  }
  return answers;
}

async function prove(context: Parameters<DemoAction>[0], { lake, engine, stream }: Embedded) {
  const { settings, log, clock, signal } = context;
  await using spools = await spoolFolder(context);
  return await verifyLake({
    lake,
    engine,
    log,
    clock,
    stream,
    limits: eventLimits(settings),
    deep: true,
    spoolFolder: spools.path,
    maxRows: settings['commit.maxRows'],
    maxBytes: settings['commit.maxBytes'],
    signal,
  });
}

function next(context: Pick<Context, 'settings' | 'origins' | 'cwd'>): string {
  const { settings, cwd } = context;
  const short = { ...settings, dir: shortPath(settings.dir, cwd) };
  const [program, where] = [programIn(cwd), sameFlags({ ...context, settings: short })];
  return [
    '',
    'Look around:',
    `  ${program} tables${where}`,
    `  ${program} sql${where} "select * from staging.events where event_type = 'payment' limit 5"`,
    `  ${program} quarantine list${where}`,
    `  ${program} verify${where}`,
    'Your own events:',
    `  ${program} dev                      then, in another terminal:`,
    `  ${program} send your-events.ndjson`,
    '',
  ].join('\n');
}
