/** A map that is made when it is first looked into, and then kept. */
export class LazyMap<V> implements ReadonlyMap<number, V> {
  #make: (() => ReadonlyMap<number, V>) | undefined;
  #made: ReadonlyMap<number, V> | undefined;

  constructor(make: () => ReadonlyMap<number, V>) {
    this.#make = make;
  }

  get #map(): ReadonlyMap<number, V> {
    if (this.#made === undefined) {
      this.#made = this.#make!();
      this.#make = undefined;
    }
    return this.#made;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: number): V | undefined {
    return this.#map.get(key);
  }

  has(key: number): boolean {
    return this.#map.has(key);
  }

  forEach(callback: (value: V, key: number, map: ReadonlyMap<number, V>) => void): void {
    this.#map.forEach((value, key) => {
      callback(value, key, this);
    });
  }

  entries(): MapIterator<[number, V]> {
    return this.#map.entries();
  }

  keys(): MapIterator<number> {
    return this.#map.keys();
  }

  values(): MapIterator<V> {
    return this.#map.values();
  }

  [Symbol.iterator](): MapIterator<[number, V]> {
    return this.#map[Symbol.iterator]();
  }
}
