import type { Clock } from '../base/base.ts';
import { ServiceError } from './service-error.ts';

/** After so long a subscription ends well, and the consumer subscribes again. */
const LIFE_MS = 300_000;
/** A second call so soon after a successful one is refused; a later one takes over. */
const TAKE_OVER_MS = 5_000;
/** Of one server. Each may hold one event in memory. */
const SUBSCRIPTIONS_MAX = 500;

/** One consumer's hold on one shard. */
export class Subscription {
  readonly consumerArn: string;
  readonly #over = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  /** What the consumer is told; undefined when it ends well. */
  failure: ServiceError | undefined;

  constructor(consumerArn: string, clock: Clock) {
    this.consumerArn = consumerArn;
    void clock.sleep(LIFE_MS, this.#over.signal).then(() => this.end());
  }

  /** Aborted when it is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when nothing is sent any more. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  finish(): void {
    this.end();
    this.#finished.resolve();
  }

  end(failure?: ServiceError): void {
    if (this.#over.signal.aborted) return;
    this.failure = failure;
    this.#over.abort();
  }
}

/** One subscription a consumer and shard. */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #places = new Map<string, { begun_ms: number; subscription: Subscription }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin({ consumerArn, shardId }: { consumerArn: string; shardId: string }): Subscription {
    const key = `${consumerArn} ${shardId}`;
    const now_ms = this.#clock.now();
    this.#forget(now_ms);
    const held = this.#places.get(key);
    const inUse = new ServiceError(
      'ResourceInUseException',
      `Another active subscription exists for this consumer: ${consumerArn} and shard ${shardId}`,
    );
    if (held && now_ms - held.begun_ms < TAKE_OVER_MS) throw inUse;
    if (!held && this.#places.size >= SUBSCRIPTIONS_MAX)
      throw new ServiceError(
        'LimitExceededException',
        `The embedded stream serves ${SUBSCRIPTIONS_MAX} subscriptions at most.`,
      );
    held?.subscription.end(inUse);
    const subscription = new Subscription(consumerArn, this.#clock);
    this.#places.set(key, { begun_ms: now_ms, subscription });
    return subscription;
  }

  end(consumerArn: string, failure: ServiceError): void {
    for (const { subscription } of this.#places.values())
      if (subscription.consumerArn === consumerArn) subscription.end(failure);
  }

  /** Ends all of them well, and resolves when that was sent. */
  async close(): Promise<void> {
    const all = [...this.#places.values()].map(({ subscription }) => subscription);
    for (const subscription of all) subscription.end();
    await Promise.all(all.map(({ finished }) => finished));
  }

  #forget(now_ms: number): void {
    for (const [key, { begun_ms, subscription }] of this.#places)
      if (subscription.over.aborted && now_ms - begun_ms >= TAKE_OVER_MS) this.#places.delete(key);
  }
}
