import { type Market, PLANS, type Plan, REFUND_REASONS } from './simulation-catalogue.ts';
import type { Outbox } from './simulation-outbox.ts';
import type { Random } from './simulation-random.ts';
import type { Meaning } from './simulation-truth.ts';

const SECOND = 1000;
const DAY = 86_400 * SECOND;

interface Order {
  id: string;
  plan: Plan;
  currency: string;
  amount_minor: number;
}

/** What one learner buys; one order in four is paid back about a week later. */
export class Purchases {
  readonly #learner: string;
  readonly #market: Market;
  readonly #random: Random;
  readonly #outbox: Outbox;
  #orders = 0;
  #plan: Plan | undefined;

  constructor(of: { learner: string; market: Market; random: Random; outbox: Outbox }) {
    this.#learner = of.learner;
    this.#market = of.market;
    this.#random = of.random;
    this.#outbox = of.outbox;
  }

  /** What the learner has at the moment. */
  get plan(): Plan | undefined {
    return this.#plan;
  }

  /** Returns when it is done. */
  buy(now_ms: number): number {
    const random = this.#random;
    const { plan } = random.weighted(PLANS);
    const { currency, prices_minor } = this.#market;
    const voucher_minor = random.chance(0.2) ? Math.floor(prices_minor[plan] / 5) : 0;
    const amount_minor = prices_minor[plan] - voucher_minor;
    const order: Order = { id: `${this.#learner}-O${++this.#orders}`, plan, currency, amount_minor };
    const items = [{ sku: `plus-${plan}`, quantity: 1, price_minor: prices_minor[plan] }];
    if (voucher_minor > 0) items.push({ sku: 'voucher-20', quantity: 1, price_minor: -voucher_minor });
    this.#outbox.emit('payment:order:created', now_ms, { order: { ...order, items } });
    const paid_ms = now_ms + random.between(5, 40) * SECOND;
    const method = { kind: random.pick(['card', 'paypal', 'app store']), country: this.#market.country };
    if (random.chance(0.1)) {
      const failure = { code: 'declined', retryable: true };
      this.#outbox.emit('payment:order:failed', paid_ms, { order, method, failure });
      return paid_ms;
    }
    this.#plan = plan;
    const meaning: Meaning = { sale: 'order', currency, plan, amount_minor };
    this.#outbox.emit('payment:order:completed', paid_ms, { order: { ...order, items }, method }, meaning);
    if (random.chance(0.25))
      this.#outbox.later(paid_ms + random.between(6, 8) * DAY, (at_ms) =>
        this.#refund(at_ms, { order, paid_ms }),
      );
    return paid_ms;
  }

  #refund(now_ms: number, { order, paid_ms }: { order: Order; paid_ms: number }): void {
    const { currency, plan, amount_minor } = order;
    this.#plan = undefined;
    const days_after = Math.floor((now_ms - paid_ms) / DAY);
    const refund = { reason: this.#random.pick(REFUND_REASONS), amount_minor, days_after };
    const meaning: Meaning = { sale: 'refund', currency, plan, amount_minor };
    this.#outbox.emit('payment:order:refunded', now_ms, { order, refund }, meaning);
  }
}
