import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { clientOptions, type Surroundings, spoolFolder, sweepWork } from './compose.ts';
import { LOCAL_CREDENTIALS } from './credentials.ts';

it('sweeps working files of processes that are gone, an earlier one with this very number included', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sweep-'));
  const around = { settings: { dir } } as Surroundings;
  const { path: ours } = await spoolFolder(around);
  const work = join(ours, '..');
  // In a container every process is number 1, and so was the one that was killed there.
  const earlier = `spools-${process.pid}-0123abcd-1`;
  const gone = 'batches-4194305-0123abcd-1';
  const running = `spools-${process.ppid}-0123abcd-1`;
  for (const name of [earlier, gone, running, 'notes']) await mkdir(join(work, name));

  await sweepWork(around);

  const left = (await readdir(work)).map((name) => join(work, name)).sort();
  expect(left).toEqual([ours, join(work, running), join(work, 'notes')].sort());
  await rm(dir, { recursive: true });
});

it.each([
  ['http://127.0.0.1:4567', true],
  ['http://localhost:4567', true],
  ['http://[::1]:4567', true],
  // Names that only begin like one of this machine.
  ['http://localhost-proxy.example:4567', false],
  ['http://127.example:4567', false],
  ['https://kinesis.eu-west-1.amazonaws.com', false],
])('requests to %s are signed without credentials of the user: %s', (endpoint, isLocal) => {
  const around = { settings: { 'stream.encoding': 'auto' }, env: {} } as unknown as Surroundings;
  expect(clientOptions(around, endpoint).credentials === LOCAL_CREDENTIALS).toBe(isLocal);
});
