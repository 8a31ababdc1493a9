/** Equality of what JSON says, whatever the order of its keys; a key without a value is as good as none. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const member = (object: object, key: string) => (object as Record<string, unknown>)[key];
  return keys.values().every((key) => sameJson(member(a, key), member(b, key)));
}
