import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const PROJECT = join(import.meta.dirname, '../..');

describe('the package, as npm packs it', () => {
  let folder: string;
  let files: string[];
  const installed = () => join(folder, 'node_modules/lakeward');
  /** With this Node first on the path. */
  const env = { ...process.env, NO_COLOR: '1', PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const lakeward = (args: readonly string[], path = env.PATH) =>
    run(join(installed(), 'bin/lakeward'), args, { cwd: folder, env: { ...env, PATH: path } });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'package-'));
    const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: PROJECT, env });
    const answer = JSON.parse(packed.stdout.slice(packed.stdout.search(/[[{]/))) as Record<string, Packed>;
    const [{ filename, files: listed }] = Object.values(answer) as [Packed];
    files = listed.map(({ path }) => path);
    await mkdir(installed(), { recursive: true });
    await run('tar', ['xzf', join(folder, filename), '--strip-components=1', '-C', installed()]);
    await linkProductionDependencies(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  interface Packed {
    filename: string;
    files: { path: string }[];
  }

  it('holds the compiled program with its types and documents, and neither sources nor tests', () => {
    const folders = new Set(files.map((path) => path.split('/')[0]));
    expect([...folders].sort()).toEqual([
      ...['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json'],
    ]);
    expect(files).toContain('dist/cli/main.js');
    expect(files).toContain('dist/lakeward.d.ts');
    expect(files.filter((path) => /\.test\.|\.tar|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  it('runs the whole pipeline with nothing but its production dependencies', async () => {
    const { version } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect((await lakeward(['--version'])).stdout).toBe(`${version}\n`);
    const { stdout } = await lakeward(['demo', '--events', '1000', '--json', '--dir', join(folder, 'lake')]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { truth: { events: 1_000 } } });
  });

  it('answers a forecast', async () => {
    const { stdout } = await lakeward(['forecast', '--events-per-hour', '1000M', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { stream: { shards: 407 } } });
    const text = await lakeward(['forecast', '--events-per-hour', '1M', '--event-size', '1KiB']);
    expect(text.stdout).toMatch(/stream, shards +21\.90/);
  });

  it('is imported by name from a config file, which it then obeys', async () => {
    const text = `import { defineConfig } from 'lakeward';\nexport default defineConfig({ dir: './elsewhere' });\n`;
    await writeFile(join(folder, 'lakeward.config.mjs'), text);
    const { stdout } = await run(process.execPath, [
      ...[
        '-e',
        `import(${JSON.stringify(join(folder, 'lakeward.config.mjs'))}).then((m) => console.log(m.default.dir))`,
      ],
    ]);
    expect(stdout).toBe('./elsewhere\n');
  });

  it('says which Node it needs, when the one on the path is too old', async () => {
    const old = join(folder, 'old');
    await mkdir(old);
    await writeFile(join(old, 'node'), '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 });
    await expect(lakeward(['--version'], `${old}:/usr/bin:/bin`)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/too old.*\n {2}why .*v20\.20\.2.*\n {2}fix .*24.*\n {2}read /),
    });
  });
});

/** What `npm install` would put beside it: its dependencies, by name, from what is installed here. */
async function linkProductionDependencies(folder: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(PROJECT, 'node_modules', name), link);
  }
}
