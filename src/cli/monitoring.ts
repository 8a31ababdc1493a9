/** Health and metrics of the roles of this process: the monitor, its listener, and where others find it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Origins, Settings } from '../config/config.ts';
import type { Engine } from '../engine/engine.ts';
import {
  type Limits,
  type Listener,
  listen,
  type Monitor,
  openMonitor,
  type Probes,
} from '../monitor/monitor.ts';
import { closing } from './closing.ts';
import type { Role } from './commands/run.ts';
import type { Surroundings } from './compose.ts';
import { isPortTaken, onFreePort } from './free-port.ts';
import { removeAddress, writeAddress } from './monitor-addresses.ts';
import { version } from './version.ts';

export interface MonitoredRoles extends Surroundings {
  roles: readonly Role[];
}

const LATE_MS = 600_000;

/** What is late depends on how often anything is committed at all. */
export function healthLimits(settings: Settings): Limits {
  const late_ms = Math.max(LATE_MS, 10 * settings['commit.maxAge']);
  return { lag_ms: late_ms, behind_ms: late_ms };
}

export function monitorOf(options: MonitoredRoles): Monitor {
  const { clock, log, settings, roles } = options;
  const limits = healthLimits(settings);
  return openMonitor({ clock, log, version: version(), roles, limits });
}

export function probesOf({ engine, spoolFolder }: { engine: Engine; spoolFolder: string }): Probes {
  return {
    async spoolBytes() {
      const names = await readdir(spoolFolder);
      const sizes = names.map((name) =>
        stat(join(spoolFolder, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      );
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    },
    async engineMemory_bytes() {
      const used = await engine.query(
        'select coalesce(sum(memory_usage_bytes), 0)::double from duckdb_memory()',
      );
      for await (const rows of used.chunks()) return Number(rows[0]?.[0] ?? 0);
      return 0;
    },
  };
}

/** Undefined when it is turned off, or when no port is free and nobody asked for one: no reason not to work. */
export async function startListener(
  { settings, origins, log }: Surroundings & { origins: Origins },
  monitor: Monitor,
): Promise<(Listener & AsyncDisposable) | undefined> {
  const wanted = settings['monitor.port'];
  if (wanted === 0) return undefined;
  const host = settings['monitor.host'];
  const isAsked = origins['monitor.port'].from !== 'default';
  const open = (port: number) => listen({ monitor, host, port, log });
  const listener = await onFreePort(wanted, open, isAsked ? { tries: 1 } : {}).catch((error: unknown) => {
    if (isAsked || !isPortTaken(error)) throw error;
    log.warn('monitor.no_port', `ports from ${wanted} on are taken; no health, no metrics`);
  });
  if (!listener) return undefined;
  if (listener.port !== wanted)
    log.warn('monitor.port_taken', `port ${wanted} is taken; health and metrics are on ${listener.port}`);
  log.info('monitor.listening', `health and metrics at ${listener.uri}`);
  await writeAddress(settings.dir, { pid: process.pid, uri: listener.uri });
  return closing({
    ...listener,
    async close() {
      await removeAddress(settings.dir, process.pid);
      await listener.close();
    },
  });
}
