import { Failure } from '../../base/base.ts';
import type { HealthAction } from '../commands/health.ts';
import { EXIT } from '../exit.ts';
import { monitorAddresses } from '../monitoring.ts';
import { reading } from './status.ts';

interface Verdict {
  healthy: boolean;
  /** Who said so. */
  of: string;
  /** Why not, with codes; the state in words when it is. */
  why: string;
}

export const health: HealthAction = async (context) => {
  const { settings, out } = context;
  const running = await monitorAddresses(settings.dir);
  const asked = running.map(({ pid, uri }) => ask(context, { uri, of: `process ${pid}` }));
  const verdicts = asked.length > 0 ? await Promise.all(asked) : [await withoutAddress(context)];
  const healthy = verdicts.every((verdict) => verdict.healthy);
  await out.result(
    { healthy, verdicts },
    () =>
      `${verdicts.map(({ healthy, of, why }) => `${healthy ? 'ok' : 'unhealthy'}: ${of}: ${why}`).join('; ')}\n`,
  );
  return healthy ? EXIT.ok : EXIT.failed;
};

type Context = Parameters<HealthAction>[0];

/** A port that was named has somebody on it, or else something is wrong. */
function withoutAddress(context: Context): Promise<Verdict> {
  const { settings, origins } = context;
  const port = settings['monitor.port'];
  if (origins['monitor.port'].from === 'default' || port === 0) return fromLake(context);
  return ask(context, { uri: `http://127.0.0.1:${port}`, of: `port ${port}` });
}

async function ask({ flags }: Context, { uri, of }: { uri: string; of: string }): Promise<Verdict> {
  try {
    const path = flags.live ? '/health/live' : '/health/ready';
    const answer = await fetch(`${uri}${path}`, { signal: AbortSignal.timeout(flags.timeout) });
    const { status, reasons } = (await answer.json()) as {
      status: string;
      reasons: { code: string; what: string; why: string }[];
    };
    const why = reasons.map((r) => `${r.what}: ${r.why} [${r.code}]`).join(', ');
    return { healthy: answer.ok, of, why: answer.ok || why === '' ? (flags.live ? 'live' : status) : why };
  } catch (error) {
    const why = error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'no answer';
    return { healthy: false, of, why: `${why} at ${uri}` };
  }
}

async function fromLake(context: Context): Promise<Verdict> {
  const of = context.settings.dir;
  try {
    const { status, findings } = await reading(context, (read) => read());
    const wrong = findings.filter(({ severity }) => severity === 'degraded');
    const why = wrong.map(({ code, what }) => `${what} [${code}]`).join(', ');
    return {
      healthy: status === 'ok',
      of,
      why: why === '' ? 'nothing has a health port here, and the lake is well' : why,
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { healthy: false, of, why: `${error.message} [${error.code}]` };
  }
}
