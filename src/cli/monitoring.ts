/** Health and metrics of the roles of this process: the monitor, its listener, and where others find it. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../base/base.ts';
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
import type { Role } from './commands/run.ts';
import type { Surroundings } from './compose.ts';
import { removeAddress, writeAddress } from './monitor-addresses.ts';
import { version } from './version.ts';

export interface MonitoredRoles extends Surroundings {
  roles: readonly Role[];
  keepsUncommitted?: boolean;
  probes?: Partial<Probes>;
}

const LATE_MS = 600_000;

/** What is late depends on how often anything is committed at all. */
export function healthLimits(settings: Settings): Limits {
  const late_ms = Math.max(LATE_MS, 10 * settings['commit.maxAge']);
  return { lag_ms: late_ms, behind_ms: late_ms };
}

export function monitorOf(options: MonitoredRoles): Monitor {
  const { clock, log, settings, roles, keepsUncommitted = false, probes = {} } = options;
  const limits = healthLimits(settings);
  return openMonitor({ clock, log, version: version(), roles, limits, keepsUncommitted, probes });
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

const PORTS_TRIED = 20;

/** Undefined when it is turned off. */
export async function startListener(
  { settings, origins, log }: Surroundings & { origins: Origins },
  monitor: Monitor,
): Promise<Listener | undefined> {
  const wanted = settings['monitor.port'];
  if (wanted === 0) return undefined;
  const asked = origins['monitor.port'].from !== 'default';
  const host = settings['monitor.host'];
  const listener = await listenOnFreePort(monitor, { host, wanted, tries: asked ? 1 : PORTS_TRIED });
  if (listener === undefined) {
    // Nobody asked for it, and it is no reason not to work.
    log.warn(
      'monitor.no_port',
      `ports ${wanted} to ${wanted + PORTS_TRIED - 1} are taken; no health, no metrics`,
    );
    return undefined;
  }
  if (listener.port !== wanted)
    log.warn('monitor.port_taken', `port ${wanted} is taken; health and metrics are on ${listener.port}`);
  log.info('monitor.listening', `health and metrics at ${listener.uri}`);
  await writeAddress(settings.dir, { pid: process.pid, uri: askedAt(listener) });
  return {
    ...listener,
    async close() {
      await removeAddress(settings.dir, process.pid);
      await listener.close();
    },
  };
}

/** Undefined when all of them are taken; the one port that was asked for is worth a failure. */
async function listenOnFreePort(
  monitor: Monitor,
  { host, wanted, tries }: { host: string; wanted: number; tries: number },
): Promise<Listener | undefined> {
  for (let port = wanted; port < wanted + tries; port++) {
    try {
      return await listen({ monitor, host, port });
    } catch (error) {
      const taken = error instanceof Failure && error.code === 'monitor.port_taken';
      if (!taken || tries === 1) throw error;
    }
  }
  return undefined;
}

/** Who listens on every address is asked on loopback. */
function askedAt({ uri, port }: Listener): string {
  return /\/\/(0\.0\.0\.0|\[::\]):/.test(uri) ? `http://127.0.0.1:${port}` : uri;
}
