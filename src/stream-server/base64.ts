const EQUALS = 0x3d;

/**
 * How many bytes a base64 text stands for, by its length and padding; undefined when these cannot be right. Whether
 * every character is one of base64's alphabet shows when it is decoded: fewer bytes come out.
 */
export function decodedLength(text: string): number | undefined {
  const { length } = text;
  if (length % 4 !== 0) return undefined;
  if (length === 0) return 0;
  const padding = text.charCodeAt(length - 1) !== EQUALS ? 0 : text.charCodeAt(length - 2) !== EQUALS ? 1 : 2;
  return (length / 4) * 3 - padding;
}

/** Decodes to `into` at `at`, where there is room, and returns the bytes' count; undefined when it is no base64. */
export function decodeBase64(text: string, into: Buffer, at: number): number | undefined {
  const length = decodedLength(text);
  if (length === undefined || into.write(text, at, length, 'base64') !== length) return undefined;
  // Node also takes the alphabet for addresses, which the service does not.
  return text.includes('-') || text.includes('_') ? undefined : length;
}
