/** With `await using`, a part is closed at the end of the scope that opened it: the last one opened first. */
export function closing<Part extends { close(): Promise<void> }>(part: Part): Part & AsyncDisposable {
  return Object.assign(part, { [Symbol.asyncDispose]: () => part.close() });
}
