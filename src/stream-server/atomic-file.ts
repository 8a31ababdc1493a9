import { basename, dirname } from 'node:path';
import { damaged } from './damage.ts';
import { isMissing, type LogFiles } from './log-files.ts';

const BYTES_MAX = 256 * 1024 * 1024;

/**
 * Replaces a small file as a whole: after a crash at any instruction it holds the old text or the new one, and once
 * this resolves, the new one. Callers see to it that only one of them writes a path at a time.
 */
export async function replaceFile(files: LogFiles, path: string, text: string): Promise<void> {
  const temporary = `${dirname(path)}/.${basename(path)}.new`;
  await files.remove(temporary);
  const file = await files.create(temporary);
  try {
    await file.write(Buffer.from(text, 'utf8'), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename({ from: temporary, to: path });
  await files.syncFolder(dirname(path));
}

/** Undefined when there is no such file. */
export async function readWhole(files: LogFiles, path: string): Promise<string | undefined> {
  try {
    const file = await files.open(path, 'read');
    try {
      const bytes = Buffer.alloc(Math.min(await file.size(), BYTES_MAX));
      return bytes.toString('utf8', 0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function atomicNumber(files: LogFiles, path: string, value: number): Promise<void> {
  return replaceFile(files, path, `${value}\n`);
}

export async function readNumber(files: LogFiles, path: string): Promise<number | undefined> {
  const text = await readWhole(files, path);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+\n$/.test(text) || !Number.isSafeInteger(value)) throw damaged(path, 'it should hold one number');
  return value;
}
