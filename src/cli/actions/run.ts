import { addTally, emptyTally, type Tally } from '../../event/event.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import { ROLES, type Role, type RunAction } from '../commands/run.ts';
import { composeEngine, composeLake, composeStream, spoolFolder, sweepWork } from '../compose.ts';
import { removeEndpoint, writeEndpoint } from '../endpoint-file.ts';
import { EXIT } from '../exit.ts';
import { counted } from '../figures.ts';
import { monitorOf, startListener } from '../monitoring.ts';
import { transformsBeside } from '../project-transforms.ts';
import { runRoles } from '../roles.ts';
import { transformObservers } from '../transform-role.ts';
import { whenReachable } from '../when-reachable.ts';
import { ledgerSentence } from './verify.ts';

export const run: RunAction = async (context) => {
  const { args, flags, log, out, settings, signal } = context;
  const roles = args.length === 0 ? ROLES : (args as readonly Role[]);
  const failed = new Set<string>();
  const transforms = roles.includes('transforms') ? await transformsBeside(context, failed) : [];
  await sweepWork(context);
  const monitor = monitorOf({ ...context, roles });
  await using beside = new AsyncDisposableStack();
  beside.use(await listenerOf(context, monitor));
  // What runs once has somebody who reads its error and tries again.
  const opened = <T>(open: () => Promise<T>) =>
    flags.once ? open() : whenReachable(open, { ...context, monitor });
  await using lake = await opened(() => composeLake(context, 'writes'));
  if (lake === undefined) return EXIT.ok;
  // A port that was asked for is served, or it is an error; what is over in a moment has nobody to ask.
  const asked = !flags.once && context.origins['stream.port'].from !== 'default';
  const server = { port: asked ? settings['stream.port'] : 0 };
  await using source = await opened(async () =>
    roles.includes('processor') ? composeStream(context, async () => lake, server) : undefined,
  );
  await using engine = await opened(() => composeEngine(context, lake, 'batches'));
  if (engine === undefined) return EXIT.ok;
  await using spools = await spoolFolder(context);
  // Others reach the embedded stream through this process for as long as it runs.
  const served = flags.once ? undefined : source?.embedded;
  if (served?.server) {
    beside.defer(() => removeEndpoint(settings.dir));
    await writeEndpoint(settings.dir, served.server);
    log.info('stream_server.listening', `the embedded stream is at ${served.endpoint}`);
  }
  let ledger: Tally = emptyTally;
  let commits = 0;
  const observers = transformObservers(context, failed);
  const options = {
    ...context,
    monitor,
    ...observers,
    transforms,
    lake,
    engine,
    stream: source?.stream,
    keepsUncommitted: source?.embedded !== undefined,
    roles,
    spoolFolder: spools.path,
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
  if (flags.once) {
    const until_ms = source ? await source.stream.serverTime() : context.clock.now();
    await runRoles(options, { until_ms, signal });
  } else await runRoles(options, { signal });
  await out.result({ commits, ledger }, () => '');
  if (!flags.once) return EXIT.ok;
  // What the other roles did stands in the log; these are the processor's.
  if (source) out.note(`${counted(commits, 'commit')}: ${ledgerSentence(ledger)}`);
  if (failed.size > 0) out.note(`failed, and kept their positions: ${[...failed].join(', ')}`);
  // Stopped before the end that was fixed at the start.
  signal.throwIfAborted();
  return failed.size > 0 ? EXIT.failed : EXIT.ok;
};

/** What is over in a moment has nobody to be watched by, unless a port was asked for. */
async function listenerOf(context: Parameters<RunAction>[0], monitor: Monitor) {
  const { flags, origins } = context;
  if (flags.once && origins['monitor.port'].from === 'default') return undefined;
  return startListener(context, monitor);
}
