/**
 * Which metadata file is a table's current one. `swap` is the only thing that makes a commit: it moves the pointer
 * from exactly the one it was judged on, or not at all.
 *
 * Every method but `swap` and `create` may be tried again when it failed. Those two never retry by themselves, and
 * throw Failure `catalog.unknown` when they cannot tell whether the change was made; any other Failure of theirs
 * says that it was not.
 */
export interface Catalog {
  load(name: string): Promise<{ metadataLocation: string } | undefined>;
  list(): Promise<string[]>;
  /** `exists`: there is such a table, whoever made it. */
  create(name: string, metadataLocation: string): Promise<'created' | 'exists'>;
  /** `conflict`: the pointer is not at `from` (any more), or there is no such table; nothing changed. */
  swap(name: string, move: { from: string; to: string }): Promise<'swapped' | 'conflict'>;
  close(): Promise<void>;
}
