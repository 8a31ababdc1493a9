/** The last line of a command whose time has a bar. */
export function againstBar(
  what: string,
  { begun, most_s }: { begun: number; most_s: number },
): { line: string; isMissed: boolean } {
  const took_s = (performance.now() - begun) / 1000;
  return { line: `${what}: ${took_s.toFixed(1)} s, at most ${most_s} s wanted`, isMissed: took_s > most_s };
}
