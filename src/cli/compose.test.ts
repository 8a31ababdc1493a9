import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Surroundings, spoolFolder, sweepWork } from './compose.ts';

it('sweeps working files of processes that are gone, an earlier one with this very number included', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sweep-'));
  const around = { settings: { dir } } as Surroundings;
  const ours = await spoolFolder(around);
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
