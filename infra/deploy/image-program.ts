/**
 * The program as its image ships it, for an endpoint that runs no containers: the same files, started by the image's own
 * entry point and variables, with nothing of this machine's environment. They are kept for the next time.
 */
import { join } from 'node:path';
import { type ImageSource, imageKey, imageStart, layOut } from '../image/lay-out.ts';
import { Stopped } from './as-command.ts';
import { keptFolder, PROJECT } from './cache.ts';
import { runWell } from './programs.ts';

export interface ImageProgram {
  /** Where its files are: the root of the image without its base. */
  folder: string;
  /**
   * What it said on stdout; anything but exit code 0 is an error that holds what it said. `work` is its one folder to
   * write to.
   */
  run(
    args: readonly string[],
    options: { env: Readonly<Record<string, string>>; work: string },
  ): Promise<string>;
}

export async function imageProgram(): Promise<ImageProgram> {
  const source: ImageSource = { project: PROJECT, node: process.execPath };
  const key = await imageKey(source);
  const folder = await keptFolder({ kind: 'image', key }, (half) => layOut(source, half)).catch(explain);
  const { entrypoint, env, volume } = await imageStart(PROJECT);
  return {
    folder,
    run(args, options) {
      const here = (word: string) => {
        if (word === volume) return options.work;
        return word.startsWith('/') ? join(folder, word) : word;
      };
      const [node, ...rest] = entrypoint.map(here);
      const ofImage = Object.entries(env).map(([name, value]) => [name, here(value)]);
      return runWell(node!, [...rest, ...args], {
        cwd: options.work,
        env: { ...Object.fromEntries(ofImage), ...options.env },
        inherited: 'nothing',
      });
    },
  };
}

function explain(error: unknown): never {
  throw new Stopped('the files of the image could not be laid out', {
    why: (error as Error).message,
    fix: 'npm has to be on the path, and its registry to be reached the first time; then the same again',
    cause: error,
  });
}
