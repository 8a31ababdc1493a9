/**
 * Processors as Fargate tasks, from the measured events a second and core. Two as soon as a restart would leave a gap
 * that somebody notices; more, not larger, beyond two cores each, because that is the size that was measured.
 */
import { FIGURES } from './measured.ts';
import { type Charge, charge, HOURS_PER_MONTH } from './prices.ts';
import type { Rate } from './rate.ts';
import type { Workload } from './workload.ts';

export interface Processors {
  tasks: number;
  vcpu: number;
  memory_gib: number;
  /** Cores that the work itself takes, without headroom. */
  busy_cores: number;
  charges: Charge[];
}

const TWO_FROM_EVENTS_PER_HOUR = 100_000;
/** What Fargate sells, up to the two cores that were measured; memory for the default engine.memory of 1 GB. */
const SIZES = [
  { vcpu: 0.25, memory_gib: 2 },
  { vcpu: 0.5, memory_gib: 2 },
  { vcpu: 1, memory_gib: 3 },
  { vcpu: 2, memory_gib: 4 },
] as const;

export function processors({ events_per_hour }: Workload, rate: Rate): Processors {
  const byCount = rate.events_per_s / FIGURES.eventsPerCoreSecond.value;
  const byBytes = rate.bytes_per_s / (FIGURES.eventsPerCoreSecond.value * FIGURES.benchEventBytes.value);
  const busy_cores = Math.max(byCount, byBytes);
  const needed = busy_cores / FIGURES.utilisation.value;
  const least = events_per_hour >= TWO_FROM_EVENTS_PER_HOUR ? 2 : 1;
  const size = SIZES.find(({ vcpu }) => vcpu * least >= needed) ?? SIZES[SIZES.length - 1]!;
  const tasks = Math.max(least, Math.ceil(needed / size.vcpu));
  return { tasks, ...size, busy_cores, charges: taskCharges({ tasks, ...size }) };
}

export function taskCharges(sized: { tasks: number; vcpu: number; memory_gib: number }): Charge[] {
  const hours = sized.tasks * HOURS_PER_MONTH;
  return [
    charge('processors, vCPU', hours * sized.vcpu, 'fargateArmVcpuHour'),
    charge('processors, memory', hours * sized.memory_gib, 'fargateArmGiBHour'),
  ];
}
