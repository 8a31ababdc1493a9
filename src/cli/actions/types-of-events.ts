import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { observedTypes } from '../../transforms/transforms.ts';
import type { TypesAction } from '../commands/types-of-events.ts';
import { composeEngine, composeLake } from '../compose.ts';
import { EXIT } from '../exit.ts';

export const types: TypesAction = async (context) => {
  const { flags, cwd, out } = context;
  const file = flags.out ?? resolve(cwd, 'lakeward-events.ts');
  await using lake = await composeLake(context, 'reads');
  await using engine = await composeEngine(context, lake, 'questions');
  const { sample, files } = flags;
  const text = await observedTypes({ lake, engine, sample, files });
  const before = await readFile(file, 'utf8').catch(() => undefined);
  const changed = before !== text;
  if (changed && !flags.check) await writeFile(file, text);
  const what = changed
    ? flags.check
      ? 'is stale; lakeward types writes it anew'
      : 'written'
    : 'is as the events are';
  await out.result({ file, changed, written: changed && !flags.check }, () => `${file} ${what}\n`);
  return changed && flags.check ? EXIT.differences : EXIT.ok;
};
