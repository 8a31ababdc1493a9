import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'make-folder-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

test('makes those above it too, and says which is the topmost that was not there', async () => {
  const deep = join(scratch, 'a', 'b', 'c');
  expect(await makeFolder(deep)).toBe(join(scratch, 'a'));
  expect((await stat(deep)).isDirectory()).toBe(true);
  expect(await makeFolder(join(scratch, 'a', 'd'))).toBe(join(scratch, 'a', 'd'));
  expect(await makeFolder(deep)).toBeUndefined();
  expect(await makeFolder('/')).toBeUndefined();
});

test('is done when many make it at once', async () => {
  const deep = join(scratch, 'x', 'y', 'z');
  await Promise.all(Array.from({ length: 10 }, () => makeFolder(deep)));
  expect((await stat(deep)).isDirectory()).toBe(true);
});

test('says what the system says where a file is in the way', async () => {
  const file = join(scratch, 'file');
  await writeFile(file, '');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.skipIf(process.platform !== 'linux')(
  'ends where the file system takes no folder and says that the parent is not there',
  async () => {
    for (const path of ['/proc/lakeward', '/proc/lakeward/work'])
      await expect(makeFolder(path)).rejects.toMatchObject({ code: 'system.no_folder', fault: 'user' });
  },
);
