/** This process among others, of this machine and elsewhere. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { WorkerSelf } from '../stream/stream.ts';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function thisWorker(): WorkerSelf {
  const host = hostname();
  const name = host.replaceAll(/[^a-zA-Z0-9-]/g, '-').slice(0, 60);
  const id = `${name}-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  return { id, host, pid: process.pid, machine: machine() };
}

/** A run of a machine's kernel, and the space of process numbers on it: containers of one machine have their own. */
function machine(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}
