/** What the processes that run on a folder say of themselves, asked through their health ports. */
import { monitorAddresses } from './monitor-addresses.ts';

export interface ProcessHealth {
  pid: number;
  uri: string;
  /** `no answer`: it says that it runs, and does not answer. */
  status: 'starting' | 'ok' | 'degraded' | 'stopping' | 'no answer';
  live: boolean;
  reasons: readonly { code: string; what: string; why: string; fix: string; since: string | null }[];
  /** Behind the end of the stream, as it last read it; null when it has not lately, or does not read it. */
  lag_ms: number | null;
  /** By table: when it last committed to it. */
  lastCommits: Readonly<Record<string, string>>;
}

export async function processesOf(
  dir: string,
  { timeout_ms }: { timeout_ms: number },
): Promise<ProcessHealth[]> {
  const running = await monitorAddresses(dir);
  return Promise.all(running.map((process) => askProcess(process, { timeout_ms })));
}

/** /health/ready has all that /health/live has. */
export async function askProcess(
  { pid, uri }: { pid: number; uri: string },
  { timeout_ms }: { timeout_ms: number },
): Promise<ProcessHealth> {
  try {
    const answer = await fetch(`${uri}/health/ready`, { signal: AbortSignal.timeout(timeout_ms) });
    const told = (await answer.json()) as ProcessHealth;
    // One of an older version says less.
    const { status, live, reasons, lag_ms = null, lastCommits = {} } = told;
    return { pid, uri, status, live, reasons, lag_ms, lastCommits };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    const reason = {
      code: 'monitor.no_answer',
      what: `process ${pid} does not answer`,
      why: late ? `nothing within ${timeout_ms} ms at ${uri}` : `nothing listens at ${uri}`,
      fix: 'start it again; it goes on from what the lake holds',
      since: null,
    };
    return { pid, uri, status: 'no answer', live: false, reasons: [reason], lag_ms: null, lastCommits: {} };
  }
}
