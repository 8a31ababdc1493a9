import { dirname } from 'node:path';
import type { Files } from './files.ts';

const KNOWN_MAX = 10_000;

/**
 * Folders whose own names are durable. A file's fsync does not save the folder it lies in, so every folder from the
 * root down is fsynced once into its parent before the first file in it is acknowledged. That a folder exists says
 * nothing: a process that crashed, or a write that is still under way, may have made it without the fsync.
 */
export class DurableFolders {
  readonly #files: Files;
  readonly #root: string;
  /** At most KNOWN_MAX; forgetting one costs an fsync of a clean folder, nothing else. */
  readonly #known = new Map<string, Promise<void>>();

  constructor(files: Files, root: string) {
    this.#files = files;
    this.#root = root;
  }

  ensure(folder: string): Promise<void> {
    const known = this.#known.get(folder);
    if (known) return known;
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    const made = folder === this.#root ? this.#makeRoot() : this.#make(folder);
    this.#known.set(folder, made);
    made.catch(() => this.#known.delete(folder));
    return made;
  }

  /** For a folder that somebody removed meanwhile. */
  forgetAll(): void {
    this.#known.clear();
  }

  async #make(folder: string): Promise<void> {
    await this.ensure(dirname(folder));
    await this.#files.makeFolder(folder);
    await this.#files.sync(dirname(folder));
  }

  async #makeRoot(): Promise<void> {
    const topmost = await this.#files.makeFolder(this.#root);
    const last = dirname(topmost ?? this.#root);
    for (let folder = dirname(this.#root); ; folder = dirname(folder)) {
      try {
        await this.#files.sync(folder);
      } catch (error) {
        // A parent that was there and that we may not read (a mount point, say) is not ours to make durable.
        if (topmost !== undefined) throw error;
      }
      if (folder === last) return;
    }
  }
}
