/**
 * What workers tell each other: one small object a worker, in `.workers` beside the tables, written again and again. No
 * part of a table's location has a dot, so the removal of a table's orphans never comes near. The objects hold nothing
 * that anything but the sharing of work depends on: all of them may be deleted at any time.
 */
import { Failure } from '../../base/base.ts';
import type { ObjectInfo, ObjectStore } from '../../object-store/object-store.ts';
import type { WorkerHeard } from './workers.ts';

export interface Heartbeat {
  /** ARN of the stream whose shards it takes. */
  stream: string;
  host: string;
  pid: number;
  /** Equal only for processes that see each other's numbers; empty where that cannot be told. */
  machine: string;
  lease_ms: number;
  /** Shards of which it reads, or has something that is not committed. */
  shards: readonly string[];
}

export type HeartbeatStore = Pick<ObjectStore, 'root' | 'read' | 'write' | 'list' | 'delete'>;

const FOLDER = '.workers';
const SUFFIX = '.json';
/** More are never read; what is left of dead workers is removed after an hour. */
const OBJECTS_MOST = 10_000;

export class Heartbeats {
  readonly #store: HeartbeatStore;

  constructor(store: HeartbeatStore) {
    this.#store = store;
  }

  /** Throws Failure when the store cannot be reached. */
  async write(worker: string, heartbeat: Heartbeat): Promise<void> {
    await this.#store.write(this.#locationOf(worker), Buffer.from(JSON.stringify(heartbeat)));
  }

  async list(): Promise<Map<string, ObjectInfo>> {
    const found = new Map<string, ObjectInfo>();
    const folder = `${this.#store.root}/${FOLDER}/`;
    for await (const info of this.#store.list(folder)) {
      const name = info.location.slice(folder.length);
      if (name.endsWith(SUFFIX)) found.set(name.slice(0, -SUFFIX.length), info);
      if (found.size === OBJECTS_MOST) break;
    }
    return found;
  }

  /** Undefined for one that is gone, and for what no version of ours wrote. */
  async read(worker: string): Promise<Heartbeat | undefined> {
    try {
      const bytes = await this.#store.read(this.#locationOf(worker));
      return parse(Buffer.from(bytes).toString('utf8'));
    } catch (error) {
      if (error instanceof Failure && error.code === 'object_store.not_found') return undefined;
      throw error;
    }
  }

  async remove(workers: readonly string[]): Promise<void> {
    await this.#store.delete(workers.map((worker) => this.#locationOf(worker)));
  }

  #locationOf(worker: string): string {
    return `${this.#store.root}/${FOLDER}/${worker}${SUFFIX}`;
  }
}

function parse(text: string): Heartbeat | undefined {
  const told = jsonOf(text);
  if (told === undefined || told === null || typeof told.stream !== 'string') return undefined;
  const { stream, host = '', pid = 0, machine = '', lease_ms = 0, shards = [] } = told;
  return { stream, host, pid, machine, lease_ms, shards };
}

function jsonOf(text: string): Partial<Heartbeat> | null | undefined {
  try {
    return JSON.parse(text) as Partial<Heartbeat> | null;
  } catch {
    return undefined;
  }
}

/** Every worker that left a heartbeat, dead ones too. */
export async function workersHeard(store: HeartbeatStore): Promise<WorkerHeard[]> {
  const heartbeats = new Heartbeats(store);
  const found = await heartbeats.list();
  const heard = await Promise.all(
    [...found].map(async ([id, { modifiedAt_ms }]): Promise<WorkerHeard[]> => {
      const heartbeat = await heartbeats.read(id);
      if (heartbeat === undefined) return [];
      const { stream, host, pid, lease_ms, shards } = heartbeat;
      return [{ id, stream, host, pid, lease_ms, shards, heardAt_ms: modifiedAt_ms }];
    }),
  );
  return heard.flat();
}
