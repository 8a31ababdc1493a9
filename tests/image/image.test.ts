import { hash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageProgram } from '../../infra/deploy/image-program.ts';
import { buildImage, type Container, type Image, imageMissing } from '../support/image.ts';
import { lakeward } from '../support/program.ts';
import { describeWith } from '../support/python.ts';

const MB = 1_000_000;
const LAYERS_MB_MAX = 260;
const EVENTS = 2_000;
const USER = 65532;
const PLACE = '/var/lib/lakeward';

const missing = await imageMissing();

describeWith({ missing }, 'the image', () => {
  let image: Image;
  beforeAll(async () => {
    image = await buildImage();
  });
  afterAll(() => image?.remove());

  const ran = async (args: readonly string[], work: string) => image.start(args, { work }).ended;
  /** What its stream was sent is what any container of this work folder has to find. */
  const events = () =>
    Array.from({ length: EVENTS }, (_, i) =>
      JSON.stringify({ event_uuid: `u${i}`, event_name: 'lesson:started', created_at: 1_767_225_600 + i }),
    ).join('\n');
  const send = async (endpoint: string, folder: string) => {
    const file = join(folder, 'events.ndjson');
    await writeFile(file, events());
    const sent = await lakeward(['send', '--endpoint', endpoint, '--dir', join(folder, 'client'), file]);
    expect(sent, sent.stderr).toMatchObject({ code: 0 });
  };
  const staged = async (work: string) => {
    const query = 'select count(distinct event_uuid) as n, count(*) as rows from staging.events';
    const answer = await ran(['sql', '--format', 'json', query], work);
    return JSON.parse(answer.stdout) as unknown;
  };
  const startDev = async (work: string) => {
    const dev = image.start(['dev', '--stream-port', '0'], { work });
    return { dev, endpoint: await endpointOf(dev, work) };
  };

  it(`adds at most ${LAYERS_MB_MAX} MB to its base`, async () => {
    const added_mb = ((await bytesIn(image.files)) - (await bytesIn(image.baseFiles))) / MB;
    expect(added_mb).toBeLessThanOrEqual(LAYERS_MB_MAX);
    // Node and libduckdb alone are 190: less would mean that something was not measured.
    expect(added_mb).toBeGreaterThan(190);
  });

  it('brings no shell, no package manager, no sources and no package that only building needs', async () => {
    const files = await filesIn(image.files);
    const named = (pattern: RegExp) => files.filter((path) => pattern.test(path));
    expect(named(/^\/(usr\/)?(local\/)?s?bin\/(sh|bash|dash|busybox|npm|apt|apt-get|dpkg)$/)).toEqual([]);
    expect(named(/^\/app\/(src|tests|infra)\//)).toEqual([]);
    expect(named(/^\/app\/dist\/.*(\.test\.js|(?<!\.d)\.ts)$/)).toEqual([]);
    expect(named(/node_modules\/(typescript|vitest|npm|@biomejs|vega-datasets|node)\//)).toEqual([]);
    expect(named(/^\/app\/dist\/cli\/main\.js$/)).toHaveLength(1);
  });

  it('holds the very files that the smoke test of a deployment runs', async () => {
    const { folder } = await imageProgram();
    // Written anew each time, with a time or a number of their own.
    const isOfTheBuild = (path: string) => /\/(sbom\.cdx|\.package-lock)\.json$/.test(path);
    const contents = async (root: string) => {
      const all = (await filesIn(join(root, 'app'))).filter((path) => !isOfTheBuild(path)).sort();
      const paths = ['usr/local/bin/node', ...all.map((path) => join('app', path))];
      const found = new Map<string, string>();
      for (const path of paths) found.set(path, hash('sha256', await readFile(join(root, path))));
      return found;
    };
    expect(await contents(folder)).toEqual(await contents(image.files));
  });

  it('lists every package that it holds, with its version, in the SBOM', async () => {
    const sbom = JSON.parse(await readFile(join(image.files, 'app/sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      components: { purl: string }[];
    };
    const listed = new Set(sbom.components.map(({ purl }) => decodeURIComponent(purl)));
    const manifests = (await filesIn(image.files)).filter((path) =>
      /^\/app\/node_modules\/(.*\/node_modules\/)?(@[^/]+\/)?[^/]+\/package\.json$/.test(path),
    );
    const held = await Promise.all(
      manifests.map(async (path) => {
        const { name, version } = JSON.parse(await readFile(join(image.files, path), 'utf8'));
        return `pkg:npm/${name}@${version}`;
      }),
    );
    expect(sbom.bomFormat).toBe('CycloneDX');
    expect(held).toContainEqual(expect.stringMatching(/^pkg:npm\/@duckdb\/node-api@/));
    expect(held.filter((purl) => !listed.has(purl))).toEqual([]);
  });

  it('gives its user nothing to write to but the work folder', async () => {
    const theirs: string[] = [];
    for (const path of ['/', ...(await filesIn(image.files, { folders: true }))]) {
      const { uid, gid, mode } = await lstat(join(image.files, path));
      // Devices are the engine's, and /tmp is for everybody where the root may be written to at all.
      const plain = !path.startsWith('/dev/') && path !== '/tmp' && (mode & 0o170000) !== 0o120000;
      if (uid === USER || gid === USER || (plain && (mode & 0o002) !== 0)) theirs.push(path);
    }
    expect(theirs).toEqual([PLACE]);
  });

  it('runs as its user under a read-only root, and cannot write outside the work folder', async () => {
    const program = `const fs = require('fs'), tried = [], wrote = [];
      const readable = (folder) => { try { return fs.readdirSync(folder, { withFileTypes: true }); } catch { return []; } };
      const walk = (folder) => {
        try { fs.writeFileSync(folder + '/.probe', ''); wrote.push(folder); } catch { tried.push(folder); }
        for (const each of readable(folder))
          if (each.isDirectory() && !/^\\/(proc|dev|sys)/.test(folder + each.name)) walk((folder + '/' + each.name).replace('//', '/'));
      };
      walk('/');
      console.log(JSON.stringify({ pid: process.pid, uid: process.getuid(), gid: process.getgid(), tried: tried.length, wrote }));`;
    const [node] = image.config.Entrypoint as [string];
    const work = await image.workFolder();
    const ended = await image.startProgram([node, '-e', program], { work }).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.stdout)).toEqual({
      ...{ pid: 1, uid: USER, gid: USER, wrote: [PLACE] },
      tried: expect.any(Number),
    });
  });

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(image.files, 'app/package.json'), 'utf8'));
    expect(await ran(['--version'], await image.workFolder())).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
    });
  });

  it('reads a config file that imports the package by name', async () => {
    const work = await image.workFolder();
    const text = `import { defineConfig } from 'lakeward';\nexport default defineConfig({ stream: { port: 'many' } });\n`;
    await writeFile(join(work, 'lakeward.config.ts'), text);
    const refused = await ran(['dev', '--config', join(PLACE, 'lakeward.config.ts')], work);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('stream.port');
  });

  it('runs the transforms that an image made from it brings', async () => {
    const mine = await image.extended(join(import.meta.dirname, '../../examples/daily-active'));
    const listed = await mine.start(['transform', 'list', '--json'], { work: await image.workFolder() })
      .ended;
    expect(listed, listed.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('daily_active') });
  });

  it('takes what a stream elsewhere holds with run --once, and verify finds nothing', async () => {
    const [source, lake] = [await image.workFolder(), await image.workFolder()];
    const { dev, endpoint } = await startDev(source);
    await send(endpoint, source);

    const once = await ran(['run', '--once', '--json', '--endpoint', endpoint], lake);
    expect(once, once.stderr).toMatchObject({ code: 0 });
    const verified = await ran(['verify', '--endpoint', endpoint], lake);
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
    expect(await staged(lake)).toEqual([{ n: EVENTS, rows: EVENTS }]);

    await dev.kill('SIGTERM');
    expect(await dev.ended).toMatchObject({ code: 0 });
  });

  it('ends soon after SIGTERM with exit code 0, everything committed', async () => {
    const work = await image.workFolder();
    const { dev, endpoint } = await startDev(work);
    await send(endpoint, work);
    const asked = performance.now();
    await dev.kill('SIGTERM');
    const { code, stderr } = await dev.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('stopping') });
    expect(performance.now() - asked).toBeLessThan(10_000);

    expect(await staged(work)).toEqual([{ n: EVENTS, rows: EVENTS }]);
    const verified = await ran(['verify'], work);
    expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
  });

  it('starts again in the folder of a container that was killed, and leaves none of its working files', async () => {
    const work = await image.workFolder();
    const first = await startDev(work);
    await send(first.endpoint, work);
    await first.dev.kill('SIGKILL');
    await first.dev.ended;
    await rm(join(work, 'endpoint.json'), { force: true });

    const second = await startDev(work);
    await second.dev.kill('SIGTERM');
    expect(await second.dev.ended).toMatchObject({ code: 0 });
    expect(await staged(work)).toEqual([{ n: EVENTS, rows: EVENTS }]);
    expect(await readdir(join(work, 'work'))).toEqual([]);
  });

  it('answers its health check without a shell while it runs and only then, listening on every address as compose.yaml has it', async () => {
    const work = await image.workFolder();
    const env = { LAKEWARD_STREAM_HOST: '0.0.0.0', LAKEWARD_MONITOR_PORT: String(await freePort()) };
    const dev = image.start(['dev', '--stream-port', '0'], { work, env });
    await endpointOf(dev, work);
    const [kind, ...argv] = image.config.Healthcheck.Test;
    expect(kind).toBe('CMD');
    const health = () => image.startProgram(argv, { work, env }).ended;
    expect(await health()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok: process/) });
    await dev.kill('SIGSTOP');
    expect(await health()).toMatchObject({ code: 1, stdout: expect.stringMatching(/^unhealthy/) });
    await dev.kill('SIGCONT');
    await dev.kill('SIGTERM');
    expect(await dev.ended).toMatchObject({ code: 0 });
  });
});

/** The address in endpoint.json, once it is there; throws when the container ends first. */
async function endpointOf(container: Container, work: string): Promise<string> {
  let over = false;
  void container.ended.then(() => {
    over = true;
  });
  for (;;) {
    if (over) throw new Error(`the container ended: ${container.stderr()}`);
    const text = await readFile(join(work, 'endpoint.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return (JSON.parse(text) as { endpoint: string }).endpoint;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Free when it was asked for. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Paths from the root of these files; nothing mounted in them is entered. */
async function filesIn(root: string, { folders = false } = {}): Promise<string[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  return found
    .filter((each) => folders || !each.isDirectory())
    .map((each) => join(each.parentPath, each.name).slice(root.length));
}

async function bytesIn(root: string): Promise<number> {
  let bytes = 0;
  for (const path of await filesIn(root)) bytes += (await lstat(join(root, path))).size;
  return bytes;
}
