/** docs/how-to/recover.md, done: the losses that it says were run are made, mended as it says, and nothing is lost or doubled after it. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lakeward, start } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recovery-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A lake, with what was put into its stream so far. */
interface Site {
  dir: string;
  env: Record<string, string>;
  sent: number;
}

async function well(site: Site, args: readonly string[]): Promise<string> {
  const ended = await lakeward([...args, '--dir', site.dir], { env: site.env });
  expect(ended, ended.stderr + ended.stdout).toMatchObject({ code: 0 });
  return ended.stdout;
}

/** Events into the stream, and through every table. */
async function grow(site: Site, events: number): Promise<void> {
  const first = site.sent;
  const lines = Array.from({ length: events }, (_, i) =>
    JSON.stringify({
      ...{ event_uuid: `e${first + i}`, event_name: 'lesson:started' },
      created_at: 1_767_225_600 + first + i,
    }),
  );
  const file = join(folder, `events-${crypto.randomUUID()}.ndjson`);
  await writeFile(file, lines.join('\n'));
  await well(site, ['send', file]);
  await well(site, ['run', '--once']);
  site.sent += events;
}

/** Every event that was ever sent is there once, and all adds up. */
async function expectWhole(site: Site): Promise<void> {
  const query = 'select count(*) as rows, count(distinct event_uuid) as ids from staging.events';
  const [found] = JSON.parse(await well(site, ['sql', '--format', 'json', query]));
  expect(found).toEqual({ rows: site.sent, ids: site.sent });
  await well(site, ['verify']);
}

const newSite = async (env: Record<string, string> = {}): Promise<Site> => {
  const site = { dir: await mkdtemp(join(folder, 'lake-')), env, sent: 0 };
  await grow(site, 60);
  return site;
};

describe('a lake in a folder', () => {
  let site: Site;
  beforeEach(async () => {
    site = await newSite();
  });

  it('whose catalog is lost is whole again when each table is registered from its newest metadata file', async () => {
    for (const suffix of ['', '-wal', '-shm'])
      await rm(join(site.dir, `catalog.sqlite${suffix}`), { force: true });
    await throughRest(site, async (ask) => {
      for (const [namespace, table] of (await tablesOnDisk(site)).map((name) => name.split('.'))) {
        const metadata = join(site.dir, 'lake', namespace!, table!, 'metadata');
        const newest = (await readdir(metadata))
          .filter((name) => name.endsWith('.metadata.json'))
          .sort()
          .at(-1)!;
        await ask('POST', '/v1/namespaces', { namespace: [namespace] });
        await ask('POST', `/v1/namespaces/${namespace}/register`, {
          ...{ name: table, 'metadata-location': `file://${join(metadata, newest)}` },
        });
      }
    });
    await expectWhole(site);
    await grow(site, 25);
    await expectWhole(site);
  });

  it('whose staging is lost gets it anew from raw', async () => {
    await throughRest(site, (ask) => ask('DELETE', '/v1/namespaces/staging/tables/events'));
    for (const lost of ['lake/staging', 'identities'])
      await rm(join(site.dir, lost), { recursive: true, force: true });
    await grow(site, 25);
    await expectWhole(site);
  });
});

async function tablesOnDisk(site: Site): Promise<string[]> {
  const lake = join(site.dir, 'lake');
  const namespaces = (await readdir(lake)).filter((name) => !name.startsWith('.'));
  const named = await Promise.all(
    namespaces.map(async (namespace) =>
      (await readdir(join(lake, namespace))).map((table) => `${namespace}.${table}`),
    ),
  );
  return named.flat();
}

type Ask = (method: string, path: string, body?: unknown) => Promise<void>;

/** While `lakeward serve catalog` runs. */
async function throughRest(site: Site, work: (ask: Ask) => Promise<void>): Promise<void> {
  const server = start(['serve', 'catalog', '--serve-port', '0', '--dir', site.dir], { env: site.env });
  try {
    const uri = await saidUri(server);
    await work(async (method, path, body) => {
      const answer = await fetch(`${uri}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      expect(answer.status, await answer.text()).toBeLessThan(300);
    });
  } finally {
    server.process.kill('SIGTERM');
    await server.ended;
  }
}

async function saidUri(server: ReturnType<typeof start>): Promise<string> {
  let over = false;
  void server.ended.then(() => {
    over = true;
  });
  for (;;) {
    const uri = /catalog of .* at (http:\S+?)[,;]/.exec(server.stderr())?.[1];
    if (uri !== undefined) return uri;
    if (over) throw new Error(`it ended: ${server.stderr()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
