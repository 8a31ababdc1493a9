import type { Shape } from './input-shapes.ts';

/** CBOR counts times in milliseconds, JSON in seconds; behind this there are seconds only. */
export function inSeconds(input: object, shape: Shape): object {
  const changed: Record<string, unknown> = Object.assign(Object.create(null), input);
  for (const [name, member] of Object.entries(shape)) {
    const value = changed[name];
    if (member.type === 'Timestamp' && typeof value === 'number') changed[name] = value / 1000;
    if (member.type === 'Structure' && isMap(value)) changed[name] = inSeconds(value, member.members);
  }
  return changed;
}

function isMap(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
