import { GIB, HOURS_PER_MONTH } from './prices.ts';
import type { Workload } from './workload.ts';

export interface Rate {
  events_per_s: number;
  bytes_per_s: number;
  events_per_month: number;
  gib_per_month: number;
}

export function rateOf({ events_per_hour, event_bytes }: Workload): Rate {
  const events_per_s = events_per_hour / 3600;
  const events_per_month = events_per_hour * HOURS_PER_MONTH;
  return {
    events_per_s,
    bytes_per_s: events_per_s * event_bytes,
    events_per_month,
    gib_per_month: (events_per_month * event_bytes) / GIB,
  };
}
