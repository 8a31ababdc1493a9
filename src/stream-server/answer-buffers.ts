/**
 * The buffers of large answers, used again. Node counts bytes outside of its heap too, and collects the whole heap for
 * every 64 MB that are new: for answers of some MB each that was 40% of what reading the stream cost the server.
 */
const WORTH_KEEPING = { least_bytes: 256 * 1024, most_bytes: 8 * 1024 * 1024 };
const KEPT_MOST = 4;

export class AnswerBuffers {
  readonly #free: Buffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** At least so many bytes, with anything in them. */
  take(bytes: number): Buffer {
    if (bytes < WORTH_KEEPING.least_bytes) return Buffer.allocUnsafe(bytes);
    const at = this.#free.findIndex((buffer) => buffer.length >= bytes);
    const buffer = at < 0 ? Buffer.allocUnsafeSlow(bytes) : this.#free.splice(at, 1)[0]!;
    if (bytes <= WORTH_KEEPING.most_bytes) this.#lent.add(buffer.buffer);
    return buffer;
  }

  /** Nobody reads this answer any more. Bytes that are not from here stay whose they are. */
  give(answer: Buffer): void {
    if (!this.#lent.delete(answer.buffer)) return;
    if (this.#free.length === KEPT_MOST) this.#free.shift();
    this.#free.push(Buffer.from(answer.buffer));
  }
}
