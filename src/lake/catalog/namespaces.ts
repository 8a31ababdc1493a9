/** What the dots in the names of namespaces mean. */

/** These and all that they lie in, by name: `a.b.c` says that there are `a` and `a.b`. */
export function withParents(namespaces: Iterable<string>): string[] {
  const all = new Set<string>();
  for (const namespace of namespaces) {
    const levels = namespace.split('.');
    for (let depth = 1; depth <= levels.length; depth++) all.add(levels.slice(0, depth).join('.'));
  }
  return [...all].sort();
}

export const isWithin = (namespace: string, parent: string): boolean =>
  namespace === parent || namespace.startsWith(`${parent}.`);
