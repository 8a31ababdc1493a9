import { Failure } from '../../base/base.ts';
import type { HealthAction } from '../commands/health.ts';
import { EXIT } from '../exit.ts';
import { askProcess, type ProcessHealth, processesOf } from '../processes.ts';
import { visible } from '../visible.ts';

interface Verdict {
  healthy: boolean;
  /** Who said so. */
  of: string;
  /** Why not, with codes; the state in words when it is. */
  why: string;
}

type Context = Parameters<HealthAction>[0];

export const health: HealthAction = async (context) => {
  const verdicts = await verdictsOf(context);
  const healthy = verdicts.every((verdict) => verdict.healthy);
  await context.out.result({ healthy, verdicts }, () => `${visible(verdicts.map(verdictText).join('; '))}\n`);
  return healthy ? EXIT.ok : EXIT.failed;
};

const verdictText = ({ healthy, of, why }: Verdict) => `${healthy ? 'ok' : 'unhealthy'}: ${of}: ${why}`;

async function verdictsOf(context: Context): Promise<Verdict[]> {
  const { settings, origins, flags } = context;
  const timeout_ms = flags.timeout;
  const running = await processesOf(settings.dir, { timeout_ms });
  if (running.length > 0)
    return running.map((process) => ofProcess(process, { of: `process ${process.pid}`, live: flags.live }));
  const port = settings['monitor.port'];
  if (origins['monitor.port'].from === 'default' || port === 0) return [await ofLake(context)];
  // A port that was named has somebody on it, or else something is wrong.
  const named = await askProcess({ pid: 0, uri: `http://127.0.0.1:${port}` }, { timeout_ms });
  return [ofProcess(named, { of: `port ${port}`, live: flags.live })];
}

function ofProcess(
  { status, live: lives, reasons }: ProcessHealth,
  { of, live }: { of: string; live: boolean },
): Verdict {
  const healthy = live ? lives : status === 'ok';
  const why = reasons.map((r) => `${r.what}: ${r.why} [${r.code}]`).join(', ');
  return { healthy, of, why: healthy || why === '' ? (live ? 'live' : status) : why };
}

async function ofLake(context: Context): Promise<Verdict> {
  const of = context.settings.dir;
  const { reading } = await import('./status.ts');
  try {
    const { status, findings } = await reading(context, (read) => read());
    const wrong = findings.filter(({ severity }) => severity === 'degraded');
    const why = wrong.map(({ code, what }) => `${what} [${code}]`).join(', ');
    const well = 'nothing has a health port here, and the lake is well';
    return { healthy: status === 'ok', of, why: why === '' ? well : why };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { healthy: false, of, why: `${error.message} [${error.code}]` };
  }
}
