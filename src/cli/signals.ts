/**
 * Ctrl-C and SIGTERM. The first asks the command to finish: it drains, commits and returns. The second ends the
 * process at once, which is safe at any instruction: what is not committed is read from the stream again.
 */
export interface SignalOptions {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): void;
}

export function stopOnSignals({ on, exit }: SignalOptions): AbortSignal {
  const stop = new AbortController();
  const asked = (code: number) => () => {
    if (stop.signal.aborted) return exit(code);
    stop.abort();
  };
  on('SIGINT', asked(130));
  on('SIGTERM', asked(143));
  return stop.signal;
}
