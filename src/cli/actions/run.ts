import { rm } from 'node:fs/promises';
import { addTally, emptyTally, type Tally } from '../../event/event.ts';
import { ROLES, type Role, type RunAction } from '../commands/run.ts';
import { composeEngine, composeLake, composeStream, spoolFolder, sweepWork } from '../compose.ts';
import { EXIT } from '../exit.ts';
import { runRoles } from '../roles.ts';
import { ledgerSentence } from './verify.ts';

export const run: RunAction = async (context) => {
  const { args, flags, log, out, signal } = context;
  const roles = args.length === 0 ? ROLES : (args as readonly Role[]);
  await sweepWork(context);
  const lake = await composeLake(context);
  const opened = roles.includes('processor') ? await composeStream(context, lake) : undefined;
  const engine = await composeEngine(context, lake, 'batches');
  const spools = await spoolFolder(context);
  let ledger: Tally = emptyTally;
  let commits = 0;
  const options = {
    ...context,
    lake,
    engine,
    stream: opened?.stream,
    roles,
    spoolFolder: spools,
    onRaw: (commit: { tally: Tally; behindLatest_ms: number }) => {
      ledger = addTally(ledger, commit.tally);
      commits++;
      const { received, written, duplicate, quarantined } = commit.tally;
      const behind_s = Math.round(commit.behindLatest_ms / 1000);
      log.info('processor.committed', 'committed', { received, written, duplicate, quarantined, behind_s });
    },
    onStaging: (commit: { received: number; written: number; duplicate: number }) =>
      log.info('staging.committed', 'staged', { ...commit }),
  };
  try {
    if (flags.once) {
      const until_ms = opened ? await opened.stream.serverTime() : context.clock.now();
      await runRoles(options, { until_ms, signal });
    } else await runRoles(options, { signal });
    await out.result({ commits, ledger }, () => '');
    if (!flags.once) return EXIT.ok;
    out.note(`${commits} commits: ${ledgerSentence(ledger)}`);
    // Stopped before the end that was fixed at the start.
    return signal.aborted ? EXIT.failed : EXIT.ok;
  } finally {
    await opened?.close();
    await engine.close();
    await lake.close();
    await rm(spools, { recursive: true, force: true });
  }
};
