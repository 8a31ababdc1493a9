/** For the tests of this module: the real file system, with syncs that can be held back and operations that can fail. */
import { type LogFile, type LogFiles, nodeFiles } from './log-files.ts';

export type FileOperation =
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'syncData'
  | 'syncFolder'
  | 'rename'
  | 'remove';

export class FaultyFiles implements LogFiles {
  /** In the order in which they were begun: operation and path. */
  readonly done: string[] = [];
  #gate: PromiseWithResolvers<void> | undefined;
  #fails: (operation: FileOperation, path: string) => boolean = () => false;

  /** Data syncs wait until the returned function is called. */
  holdSyncs(): () => void {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate;
    return () => {
      this.#gate = undefined;
      gate.resolve();
    };
  }

  failWhen(fails: (operation: FileOperation, path: string) => boolean): void {
    this.#fails = fails;
  }

  async create(path: string): Promise<LogFile> {
    this.#begin('create', path);
    return this.#wrap(await nodeFiles.create(path), path);
  }

  async open(path: string, mode: 'read' | 'read and write'): Promise<LogFile> {
    return this.#wrap(await nodeFiles.open(path, mode), path);
  }

  async syncFolder(path: string): Promise<void> {
    this.#begin('syncFolder', path);
    await nodeFiles.syncFolder(path);
  }

  async rename(paths: { from: string; to: string }): Promise<void> {
    this.#begin('rename', paths.to);
    await nodeFiles.rename(paths);
  }

  async remove(path: string): Promise<void> {
    this.#begin('remove', path);
    await nodeFiles.remove(path);
  }

  makeFolder(path: string): Promise<void> {
    return nodeFiles.makeFolder(path);
  }

  list(path: string): Promise<string[]> {
    return nodeFiles.list(path);
  }

  #begin(operation: FileOperation, path: string): void {
    this.done.push(`${operation} ${path}`);
    if (this.#fails(operation, path)) throw Object.assign(new Error(`EIO: ${operation}`), { code: 'EIO' });
  }

  #wrap(file: LogFile, path: string): LogFile {
    return {
      read: (into, at) => file.read(into, at),
      size: () => file.size(),
      close: () => file.close(),
      write: async (bytes, at) => {
        this.#begin('write', path);
        await file.write(bytes, at);
      },
      truncate: async (size) => {
        this.#begin('truncate', path);
        await file.truncate(size);
      },
      sync: async () => {
        this.#begin('sync', path);
        await file.sync();
      },
      syncData: async () => {
        this.#begin('syncData', path);
        await this.#gate?.promise;
        await file.syncData();
      },
    };
  }
}
