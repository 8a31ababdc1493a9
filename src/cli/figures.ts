/** Numbers, sizes and durations as people read them. English separators everywhere: output must not vary by machine. */

/** 1234567 → 1,234,567. Not Intl.NumberFormat: making one costs 10 ms, a tenth of the start of the CLI. */
export function figure(value: number | bigint): string {
  const whole = typeof value === 'bigint' ? value : Math.round(value);
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 1 record · 2,000 records */
export function counted(count: number, unit: string): string {
  return `${figure(count)} ${unit}${count === 1 ? '' : 's'}`;
}

/** 1234567 → 1.2 MB (powers of 1000, as the options understand them) */
export function byteFigure(value_bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = value_bytes;
  let unit = 0;
  // 999.95 kB would be printed as 1000.0 kB.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** 850 ms · 12.3 s · 4 min 05 s · 2 h 10 min · 3 d 4 h · 365 d */
export function durationFigure(value_ms: number): string {
  if (value_ms < 999.5) return `${Math.round(value_ms)} ms`;
  if (value_ms < 59_950) return `${(value_ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(value_ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? '' : ` ${hours % 24} h`}`;
}

/** `figure` of events a second, rounded to what is meaningful. */
export function rateFigure({ count, elapsed_ms }: { count: number; elapsed_ms: number }): string {
  return elapsed_ms <= 0 ? '–' : `${figure(Math.round((count * 1000) / elapsed_ms))}/s`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
