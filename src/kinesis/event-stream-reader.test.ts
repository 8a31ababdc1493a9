import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeEvent } from './event-stream.ts';
import { EventStreamError, readEvents } from './event-stream-reader.ts';

async function read(chunks: readonly Buffer[]) {
  const messages: { headers: Readonly<Record<string, string>>; payload: string }[] = [];
  const source = (async function* () {
    yield* chunks;
  })();
  for await (const { headers, payload } of readEvents(source)) {
    messages.push({ headers, payload: payload.toString('latin1') });
  }
  return messages;
}

it('messages come back whole, however their bytes are cut', async () => {
  const message = fc.record({
    headers: fc.dictionary(
      fc.string({ minLength: 1, maxLength: 9 }).filter((n) => n !== '__proto__'),
      fc.string({ maxLength: 30 }),
    ),
    payload: fc.uint8Array({ maxLength: 200 }),
  });
  const property = fc.asyncProperty(
    fc.array(message, { maxLength: 6 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
    async (messages, cuts) => {
      const bytes = Buffer.concat(messages.map(({ headers, payload }) => encodeEvent(headers, payload)));
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += chunks.at(-1)!.length)
        chunks.push(bytes.subarray(at, at + cuts.next().value));
      expect(await read(chunks)).toEqual(
        messages.map(({ headers, payload }) => ({
          headers: { ...headers },
          payload: Buffer.from(payload).toString('latin1'),
        })),
      );
    },
  );
  await fc.assert(property);
});

describe('an error is', () => {
  const bytes = encodeEvent({ ':event-type': 'SubscribeToShardEvent' }, Buffer.from('payload'));

  it('an end within a message', async () => {
    for (let end = 1; end < bytes.length; end++) {
      await expect(read([bytes.subarray(0, end)])).rejects.toThrow(EventStreamError);
    }
  });

  it('any byte that was changed', async () => {
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      await expect(read([damaged])).rejects.toThrow(EventStreamError);
    }
  });
});
