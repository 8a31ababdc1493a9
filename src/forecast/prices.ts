/** The prices that are used, and what they make of quantities. */
export { DATE, PRICES, type Price, type PriceName, REGION } from './prices-2026-11-23.ts';

import { PRICES, type PriceName } from './prices-2026-11-23.ts';

/** AWS's month. */
export const HOURS_PER_MONTH = 730;
export const KIB = 1024;
export const GIB = 2 ** 30;

/** One thing that is paid for in a month. */
export interface Charge {
  item: string;
  /** How much of `price`'s unit. */
  quantity: number;
  price: PriceName;
  dollars: number;
}

export function charge(item: string, quantity: number, price: PriceName): Charge {
  return { item, quantity, price, dollars: quantity * PRICES[price].dollars };
}

export const total = (charges: readonly Charge[]): number =>
  charges.reduce((sum, { dollars }) => sum + dollars, 0);

/** Splits a quantity over price tiers; the last one has no end. */
export function tiered(
  item: string,
  quantity: number,
  tiers: readonly { upTo: number; price: PriceName }[],
): Charge[] {
  let from = 0;
  return tiers.flatMap(({ upTo, price }) => {
    const within = Math.max(0, Math.min(quantity, upTo) - from);
    from = upTo;
    return within === 0 ? [] : [charge(item, within, price)];
  });
}
