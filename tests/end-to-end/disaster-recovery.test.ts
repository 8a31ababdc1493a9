/** docs/how-to/recover.md, done: the losses that it says were run are made, mended as it says, and nothing is lost or doubled after it. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Moto, startMoto } from '../support/moto.ts';
import { lakeward, start } from '../support/program.ts';
import { describeWith, pythonWith } from '../support/python.ts';

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
  expect(await inStaging(site)).toEqual({ rows: site.sent, ids: site.sent });
  await well(site, ['verify']);
}

async function inStaging(site: Site): Promise<unknown> {
  const query = 'select count(*) as rows, count(distinct event_uuid) as ids from staging.events';
  return JSON.parse(await well(site, ['sql', '--format', 'json', query]))[0];
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
    const refused = await lakeward(['run', '--once', '--dir', site.dir], site);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[lake.no_catalog]') });
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
    for (const lost of ['lake/staging/events/data', 'identities'])
      await rm(join(site.dir, lost), { recursive: true, force: true });
    await grow(site, 25);
    await expectWhole(site);
  });
});

describe('a lake in a folder whose raw is lost', () => {
  const rawIsLost = async (): Promise<Site> => {
    const site = await newSite();
    await throughRest(site, (ask) => ask('DELETE', '/v1/namespaces/raw/tables/events'));
    await rm(join(site.dir, 'lake/raw'), { recursive: true, force: true });
    return site;
  };

  it('takes it from the stream again, and staging drops what it has', async () => {
    const site = await rawIsLost();
    await grow(site, 25);
    await expectWhole(site);
  });

  it('and its stream with it has every event in staging, and verify says what raw lacks', async () => {
    const site = await rawIsLost();
    await rm(join(site.dir, 'stream'), { recursive: true, force: true });
    await grow(site, 25);
    expect(await inStaging(site)).toEqual({ rows: 85, ids: 85 });
    const { code, stdout } = await lakeward(['verify', '--json', '--dir', site.dir]);
    expect(code).toBe(3);
    const { findings } = JSON.parse(stdout).data;
    expect(findings).toMatchObject([{ code: 'staging.extra', expected: '0', found: '60' }]);
  });
});

const python = await pythonWith('moto');
const BUCKET = 'lake';
const ANYBODY = { accessKeyId: 'any', secretAccessKey: 'any' };

describeWith(python, 'a lake in a bucket with versions (moto)', () => {
  let moto: Moto;
  let s3: S3Client;
  let site: Site;
  let prefix: string;
  beforeAll(async () => {
    moto = await startMoto(python);
    s3 = new S3Client({
      ...{ endpoint: moto.endpoint, region: 'us-east-1', credentials: ANYBODY, forcePathStyle: true },
    });
    await moto.makeBucket(BUCKET);
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
  });
  afterAll(async () => {
    s3?.destroy();
    await moto?.close();
  });
  beforeEach(async () => {
    prefix = crypto.randomUUID();
    site = await newSite(moto.lakeAt(`s3://${BUCKET}/${prefix}`));
  });

  const keysBelow = async (folder: string): Promise<string[]> => {
    const asked = { Bucket: BUCKET, Prefix: `${prefix}/${folder}` };
    const { Contents = [] } = await s3.send(new ListObjectsV2Command(asked));
    return Contents.map(({ Key }) => Key!);
  };
  const read = async (Key: string) =>
    (await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }))).Body!.transformToString();
  const write = (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
  const deleteAll = (objects: { Key: string; VersionId?: string }[]) =>
    s3.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: objects } }));
  const pointer = () => `${prefix}/.catalog/raw.events.json`;

  it('whose objects were deleted is whole again without the markers of that deletion', async () => {
    const lost = [...(await keysBelow('staging/')), ...(await keysBelow('raw/'))];
    expect(lost.length).toBeGreaterThan(4);
    const markersBefore = new Set((await markers()).map(({ VersionId }) => VersionId));
    await deleteAll(lost.map((Key) => ({ Key })));
    const asked = await lakeward(['sql', 'select count(*) from staging.events', '--dir', site.dir], site);
    expect(asked.code).not.toBe(0);
    const ofAccident = (await markers()).filter(({ VersionId }) => !markersBefore.has(VersionId));
    expect(ofAccident).toHaveLength(lost.length);
    await deleteAll(ofAccident);
    await expectWhole(site);
    await grow(site, 25);
    await expectWhole(site);
  });

  async function markers(): Promise<{ Key: string; VersionId: string }[]> {
    const { DeleteMarkers = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: `${prefix}/` }),
    );
    return DeleteMarkers.filter(({ IsLatest }) => IsLatest).map(({ Key, VersionId }) => ({
      ...{ Key: Key!, VersionId: VersionId! },
    }));
  }

  it('whose pointer is lost is whole again with one that names the newest metadata file', async () => {
    await deleteAll([{ Key: pointer() }]);
    const refused = await lakeward(['run', '--once', '--dir', site.dir], site);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[lake.table_left]') });
    const newest = (await keysBelow('raw/events/metadata/'))
      .filter((key) => key.endsWith('.metadata.json'))
      .sort()
      .at(-1)!;
    const told = { table: 'raw.events', 'metadata-location': `s3://${BUCKET}/${newest}`, token: 'any' };
    await write(pointer(), JSON.stringify(told));
    await expectWhole(site);
    await grow(site, 25);
    await expectWhole(site);
  });

  it('whose staging is lost gets it anew from raw once an empty pointer says that it was dropped', async () => {
    const key = `${prefix}/.catalog/staging.events.json`;
    await deleteAll([{ Key: key }]);
    const refused = await lakeward(['run', 'staging', '--once', '--dir', site.dir], site);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[lake.table_left]') });
    await write(key, '');
    await grow(site, 25);
    await expectWhole(site);
  });

  it('whose pointer is older than its table takes from the stream again what came since', async () => {
    const old = await read(pointer());
    await grow(site, 25);
    await write(pointer(), old);
    await grow(site, 5);
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
