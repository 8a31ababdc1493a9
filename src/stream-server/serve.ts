import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, Gate } from '../base/base.ts';
import { AnswerBuffers } from './answer-buffers.ts';
import { Capacity } from './capacity.ts';
import { type ExchangeOptions, exchange } from './exchange.ts';
import { listen } from './listener.ts';
import type { LogFiles } from './log-files.ts';
import { operationsOf } from './operations.ts';
import type { Run } from './protocol.ts';
import { arnPrefix, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';
import { ShardLimits } from './shard-limits.ts';
import { Store } from './store.ts';
import type { StreamServer, StreamServerOptions } from './stream-server.ts';
import { Subscriptions } from './subscriptions.ts';

/** Of bodies of requests and answers under way; beyond it clients are told to try again. */
const BODIES_BYTES_MAX = 128 * 1024 * 1024;
/** Of answers under construction, each of which may take some tens of MiB. */
const READS_AT_ONCE = 4;
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** So that at most an eighth more is kept than the retention asks for. */
const SEGMENTS_A_RETENTION = 8;
/** How long a client may take to read an answer that was written before the close. */
const CLOSE_MS_MAX = 1_000;
const TRIM_MS = { least: 1_000, most: 60_000 };

/** What tests replace. */
export interface ServerPorts {
  files: LogFiles;
  segment_bytes?: number;
}

export async function serve(options: StreamServerOptions, ports: ServerPorts): Promise<StreamServer> {
  const { clock, log, retention_ms, region, maxBytes } = options;
  const accountId = options.accountId ?? '000000000000';
  const store = await Store.open({
    folder: resolve(options.folder),
    files: ports.files,
    arnOf: (name) => arnPrefix({ region, accountId }) + name,
    maxBytes,
    retention_ms,
    limits: {
      segment_bytes: ports.segment_bytes ?? SEGMENT_BYTES,
      segmentAge_ms: retention_ms / SEGMENTS_A_RETENTION,
    },
    clock,
    log,
  });
  const service: Service = {
    store,
    clock,
    region,
    accountId,
    reads: new Gate(READS_AT_ONCE),
    buffers: new AnswerBuffers(),
    subscriptions: new Subscriptions(clock),
    log,
    limits: options.limits === 'on' ? new ShardLimits(clock) : undefined,
  };
  return start(service, options).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
}

async function start(service: Service, options: StreamServerOptions): Promise<StreamServer> {
  const { clock, log, host = '127.0.0.1' } = options;
  const operations = new Operations(operationsOf(service));
  const memory = new Capacity(BODIES_BYTES_MAX);
  const { buffers } = service;
  const id = randomUUID();
  const exchangeOptions: ExchangeOptions = { run: operations.run, memory, buffers, serverId: id, clock, log };
  const listener = await listen({ host, port: options.port, log }, (request, response) => {
    exchange(request, response, exchangeOptions).catch((error: unknown) =>
      log.debug('stream_server.answer_unsent', 'A client left before its answer', { why: String(error) }),
    );
  });
  const stopping = new AbortController();
  const trimming = trimForEver(service.store, options, stopping.signal);
  return {
    endpoint: listener.uri,
    port: listener.port,
    id,
    async close() {
      stopping.abort();
      listener.stop();
      await operations.finish();
      await service.subscriptions.close();
      // The last answers are written once this turn is over.
      await new Promise((resolve) => setImmediate(resolve));
      const patience = new AbortController();
      await listener.close(clock.sleep(CLOSE_MS_MAX, patience.signal));
      patience.abort();
      await trimming;
      await service.store.close();
    },
  };
}

/** Lets operations that began before the close end, and none begin after it. */
class Operations {
  readonly #run: Run;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosing = false;

  constructor(run: Run) {
    this.#run = run;
  }

  readonly run: Run = async (operation, input, encoding) => {
    if (this.#isClosing)
      throw new ServiceError('ServiceUnavailable', 'The embedded stream is shutting down.');
    const one = this.#run(operation, input, encoding);
    this.#underWay.add(one);
    try {
      return await one;
    } finally {
      this.#underWay.delete(one);
    }
  };

  async finish(): Promise<void> {
    this.#isClosing = true;
    await Promise.allSettled(this.#underWay);
  }
}

async function trimForEver(store: Store, options: StreamServerOptions, signal: AbortSignal): Promise<void> {
  const { clock, held, retention_ms } = options;
  if (!held) return;
  const pause_ms = Math.min(Math.max(retention_ms / SEGMENTS_A_RETENTION, TRIM_MS.least), TRIM_MS.most);
  while (!signal.aborted) {
    await store.trim(held);
    await pause(clock, pause_ms, signal);
  }
}

async function pause(clock: Clock, pause_ms: number, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await clock.sleep(pause_ms, signal);
}
