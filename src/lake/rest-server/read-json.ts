/** The members of a request's JSON, each asked for by what it has to be; anything else is a bad request. */
import type { JsonValue } from '../../base/base.ts';
import { badRequest } from './rest-error.ts';

export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw badRequest(`Cannot parse ${what} from non-object value: ${brief(value)}`);
  return value;
}

export class Members {
  readonly #object: JsonObject;
  readonly #what: string;

  constructor(value: JsonValue | undefined, what: string) {
    this.#object = asObject(value, what);
    this.#what = what;
  }

  has(key: string): boolean {
    return this.#object[key] !== undefined && this.#object[key] !== null;
  }

  text(key: string): string {
    const value = this.#object[key];
    return typeof value === 'string' ? value : this.#refuse(key, 'a text');
  }

  integer(key: string): number {
    const value = this.#object[key];
    return typeof value === 'number' && Number.isInteger(value) ? value : this.#refuse(key, 'an integer');
  }

  optionalInteger(key: string): number | undefined {
    return this.has(key) ? this.integer(key) : undefined;
  }

  /** Of 64 bits. */
  snapshotId(key: string): bigint {
    return asSnapshotId(this.#object[key]) ?? this.#refuse(key, 'a snapshot id');
  }

  optionalSnapshotId(key: string): bigint | undefined {
    return this.has(key) ? this.snapshotId(key) : undefined;
  }

  boolean(key: string): boolean {
    const value = this.#object[key] ?? false;
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false');
  }

  members(key: string): Members {
    return new Members(this.#object[key], `${key} of ${this.#what}`);
  }

  object(key: string): JsonObject {
    return asObject(this.#object[key], `${key} of ${this.#what}`);
  }

  list(key: string): readonly JsonValue[] {
    const value = this.#object[key];
    return Array.isArray(value) ? value : this.#refuse(key, 'a list');
  }

  texts(key: string): readonly string[] {
    const values = this.list(key);
    return values.every((value) => typeof value === 'string') ? values : this.#refuse(key, 'a list of texts');
  }

  integers(key: string): readonly number[] {
    const values = this.list(key);
    const fit = values.every((value) => typeof value === 'number' && Number.isInteger(value));
    return fit ? (values as readonly number[]) : this.#refuse(key, 'a list of integers');
  }

  snapshotIds(key: string): readonly bigint[] {
    return this.list(key).map((value) => asSnapshotId(value) ?? this.#refuse(key, 'a list of snapshot ids'));
  }

  /** A map of texts; none when it is left out. */
  properties(key: string): Readonly<Record<string, string>> {
    if (!this.has(key)) return {};
    const entries = Object.entries(this.object(key));
    if (!entries.every(([, value]) => typeof value === 'string')) this.#refuse(key, 'a map of texts');
    return Object.fromEntries(entries) as Record<string, string>;
  }

  #refuse(key: string, expected: string): never {
    const value = this.#object[key];
    if (value === undefined) throw badRequest(`Cannot parse ${this.#what}: missing ${key}, ${expected}`);
    throw badRequest(`Cannot parse ${this.#what}: ${key} has to be ${expected}, and is ${brief(value)}`);
  }
}

function asSnapshotId(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function brief(value: JsonValue | undefined): string {
  if (value === null || value === undefined || typeof value !== 'object') return String(value).slice(0, 100);
  return Array.isArray(value) ? 'a list' : 'an object';
}
