/** `endpoint.json` in a lake's folder names the process that has its embedded stream open, and where to reach it and its catalog. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SERVER_ID_HEADER, type StreamServer } from '../stream-server/stream-server.ts';

export interface Endpoint {
  endpoint: string;
  /** Which server answers there. */
  server?: string;
  pid: number;
  /** Of the Iceberg REST catalog that it serves, if it does. */
  catalog?: string;
}

const fileOf = (dir: string) => join(dir, 'endpoint.json');

/** For a server of this process, and the catalog that it serves too. */
export async function writeEndpoint(
  dir: string,
  { endpoint, id }: Pick<StreamServer, 'endpoint' | 'id'>,
  catalog?: string,
): Promise<void> {
  const temporary = `${fileOf(dir)}.${process.pid}`;
  const told: Endpoint = {
    endpoint,
    server: id,
    pid: process.pid,
    ...(catalog !== undefined && { catalog }),
  };
  await writeFile(temporary, `${JSON.stringify(told)}\n`);
  await rename(temporary, fileOf(dir));
}

export async function removeEndpoint(dir: string): Promise<void> {
  await rm(fileOf(dir), { force: true });
}

/**
 * Undefined when that server does not answer there: a file that a crash left behind says nothing, and the address may be
 * another folder's by now.
 */
export async function readEndpoint(dir: string): Promise<Endpoint | undefined> {
  try {
    const found = JSON.parse(await readFile(fileOf(dir), 'utf8')) as Endpoint;
    const answer = await fetch(found.endpoint, { method: 'GET', signal: AbortSignal.timeout(2_000) });
    // That there is one is enough; left unread, it would keep its connection.
    await answer.body?.cancel().catch(() => {});
    // Servers of older versions have no name.
    return found.server === undefined || answer.headers.get(SERVER_ID_HEADER) === found.server
      ? found
      : undefined;
  } catch {
    return undefined;
  }
}
