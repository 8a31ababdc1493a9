/** `endpoint.json` in a lake's folder names the process that has its embedded stream open, and where to reach it and its catalog. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Endpoint {
  endpoint: string;
  pid: number;
  /** Of the Iceberg REST catalog that it serves, if it does. */
  catalog?: string;
}

const fileOf = (dir: string) => join(dir, 'endpoint.json');

export async function writeEndpoint(dir: string, endpoint: Endpoint): Promise<void> {
  const temporary = `${fileOf(dir)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(endpoint)}\n`);
  await rename(temporary, fileOf(dir));
}

export async function removeEndpoint(dir: string): Promise<void> {
  await rm(fileOf(dir), { force: true });
}

/** Undefined when nobody answers there: a file that a crash left behind says nothing. */
export async function readEndpoint(dir: string): Promise<Endpoint | undefined> {
  try {
    const found = JSON.parse(await readFile(fileOf(dir), 'utf8')) as Endpoint;
    const answer = await fetch(found.endpoint, { method: 'GET', signal: AbortSignal.timeout(2_000) });
    // That there is one is enough; left unread, it would keep its connection.
    await answer.body?.cancel().catch(() => {});
    return found;
  } catch {
    return undefined;
  }
}
