import type { PointerCatalog } from '../../src/lake/lake.ts';
import type { ObjectStore } from '../../src/object-store/object-store.ts';

/** What everything fails with once the power is gone. No `Failure`: nobody handles it. */
export class PowerLost extends Error {}

/**
 * A machine whose power can be cut. Files that the store did not acknowledge as durable are gone then, as those whose
 * fsync had not happened would be; the catalog keeps what it was told. What ran then never works again; what is
 * opened afterwards runs on the same disk.
 */
export class PowerSupply {
  /** Asked for each operation on store or catalog: whether the power goes before it, or when it is made and not told. */
  cuts: (operation: string) => 'before' | 'after' | undefined = () => undefined;
  #boots = 0;
  #disk: ObjectStore | undefined;
  readonly #durable = new Set<string>();

  /** Cuts the power: what is not durable is lost. */
  async cut(): Promise<void> {
    this.#boots++;
    const disk = this.#disk;
    if (disk === undefined) return;
    const lost: string[] = [];
    for await (const { location } of disk.list(disk.root))
      if (!this.#durable.has(location)) lost.push(location);
    await disk.delete(lost);
  }

  readonly store = (inner: ObjectStore): ObjectStore => {
    this.#disk = inner;
    const { operation, check } = this.#running();
    const durable = (locations: readonly string[]) => {
      check();
      for (const location of locations) this.#durable.add(location);
    };
    return {
      root: inner.root,
      localPath: (location) => inner.localPath(location),
      read: (location, range) => operation('read', () => inner.read(location, range)),
      head: (location) => operation('head', () => inner.head(location)),
      write: (location, bytes) =>
        operation('write', () => inner.write(location, bytes)).then(() => durable([location])),
      writeIfAbsent: async (location, bytes) => {
        const written = await operation('write', () => inner.writeIfAbsent(location, bytes));
        durable(written ? [location] : []);
        return written;
      },
      writeIfMatch: async (location, bytes, etag) => {
        const written = await operation('write', () => inner.writeIfMatch(location, bytes, etag));
        durable(written ? [location] : []);
        return written;
      },
      moveIn: (files) =>
        operation('moveIn', () => inner.moveIn(files)).then(() => durable(files.map((f) => f.location))),
      async *list(prefix) {
        check();
        yield* inner.list(prefix);
      },
      delete: (locations) => operation('delete', () => inner.delete(locations)),
    };
  };

  readonly catalog = (inner: PointerCatalog): PointerCatalog => {
    const { operation } = this.#running();
    return {
      load: (name) => operation('load', () => inner.load(name)),
      list: () => operation('list', () => inner.list()),
      create: (name, location) => operation('create', () => inner.create(name, location)),
      swap: (name, move) => operation('swap', () => inner.swap(name, move)),
      close: () => inner.close(),
    };
  };

  /** What runs from now on, until the power goes. */
  #running() {
    const boot = this.#boots;
    const check = () => {
      if (boot !== this.#boots) throw new PowerLost('no power');
    };
    const operation = async <T>(name: string, action: () => Promise<T>): Promise<T> => {
      check();
      const cut = this.cuts(name);
      if (cut === 'before') await this.cut();
      check();
      const result = await action();
      if (cut === 'after') await this.cut();
      check();
      return result;
    };
    return { operation, check };
  }
}
