/** Names and numbers that nobody has used: time and randomness come in, so that tests can repeat them. */

/** UUID version 7: names sort by age, and the time guards against a random source that two processes seeded alike. */
export function freshUuid({ now_ms, random }: { now_ms: number; random: () => number }): string {
  const time = Math.max(0, Math.floor(now_ms)).toString(16).padStart(12, '0').slice(-12);
  const noise = (digits: number) =>
    bits(random, 4 * digits)
      .toString(16)
      .padStart(digits, '0');
  const variant = (8 + Number(bits(random, 2))).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${noise(3)}-${variant}${noise(3)}-${noise(12)}`;
}

/** Positive, 63 bits, and none of those that are known. */
export function freshSnapshotId({
  known,
  random,
}: {
  known: Iterable<bigint>;
  random: () => number;
}): bigint {
  const taken = new Set(known);
  for (;;) {
    const id = bits(random, 63);
    if (id > 0n && !taken.has(id)) return id;
  }
}

export function freshSync(random: () => number): Uint8Array {
  return Uint8Array.from({ length: 16 }, () => Number(bits(random, 8)));
}

/** From as many calls as it takes: one gives 52 good bits at most. */
function bits(random: () => number, count: number): bigint {
  let value = 0n;
  for (let left = count; left > 0; left -= 32) {
    const size = Math.min(32, left);
    value = (value << BigInt(size)) | BigInt(Math.floor(random() * 2 ** size));
  }
  return value;
}
