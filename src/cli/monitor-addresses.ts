/**
 * Where the processes of a folder serve health and metrics. Imports nothing heavy: `health` is asked every few seconds
 * by whatever watches a container.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../base/base.ts';

export interface MonitorAddress {
  pid: number;
  uri: string;
}

/** Among the work folders, and named like them: what a dead process left is swept with the rest. */
const folderOf = (dir: string) => join(dir, 'work');
const fileOf = (dir: string, pid: number) => join(folderOf(dir), `monitor-${pid}-address.json`);

export async function writeAddress(dir: string, { pid, uri }: MonitorAddress): Promise<void> {
  await makeFolder(folderOf(dir));
  await writeFile(fileOf(dir, pid), `${JSON.stringify({ uri })}\n`);
}

export async function removeAddress(dir: string, pid: number): Promise<void> {
  await rm(fileOf(dir, pid), { force: true });
}

export async function monitorAddresses(dir: string): Promise<MonitorAddress[]> {
  const names = await readdir(folderOf(dir)).catch(() => []);
  const found = names.flatMap((name) => /^monitor-(\d+)-address\.json$/.exec(name)?.[1] ?? []);
  return (await Promise.all(found.map((pid) => readAddress(dir, Number(pid))))).flat();
}

/** One that is just being written, or removed, says nothing. */
async function readAddress(dir: string, pid: number): Promise<MonitorAddress[]> {
  try {
    const { uri } = JSON.parse(await readFile(fileOf(dir, pid), 'utf8')) as { uri?: string };
    return uri === undefined ? [] : [{ pid, uri }];
  } catch {
    return [];
  }
}
