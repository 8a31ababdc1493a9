/** The project's transforms, and what they are run with. */
import { Failure } from '../base/base.ts';
import { nearest } from '../config/config.ts';
import type { Engine } from '../engine/engine.ts';
import type { Lake } from '../lake/lake.ts';
import { loadTransforms, type Transform, type TransformsOptions } from '../transforms/transforms.ts';
import { newId, type Surroundings, writerName } from './compose.ts';

type Project = Pick<Surroundings, 'settings'>;

/** Throws where the project has none. */
export async function projectTransforms({ settings }: Project): Promise<Transform[]> {
  const folder = settings['transforms.dir'];
  const transforms = await loadTransforms(folder);
  if (transforms.length > 0) return transforms;
  throw new Failure('there are no transforms', {
    code: 'transform.none',
    fault: 'user',
    why: `${folder} holds no file that defines one`,
    hint: 'lakeward init begins with one; transforms.dir names another folder',
    docs: 'docs/how-to/transforms.md',
  });
}

/**
 * For a process that does other work too: files that cannot be loaded do not keep it from that. Asked for by its name,
 * the role must have something to run.
 */
export async function transformsBeside(
  { settings, log, args }: Pick<Surroundings, 'settings' | 'log'> & { args: readonly string[] },
  failed = new Set<string>(),
): Promise<Transform[]> {
  if (args.includes('transforms')) return projectTransforms({ settings });
  try {
    return await loadTransforms(settings['transforms.dir']);
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    failed.add('all transforms');
    const { message, code, why, hint } = failure;
    log.error('transform.not_loaded', message, { code, why, hint });
    return [];
  }
}

export function transformNamed(transforms: readonly Transform[], name: string): Transform {
  const found = transforms.find((transform) => transform.name === name);
  if (found !== undefined) return found;
  const names = transforms.map((transform) => transform.name);
  const meant = nearest(name, names);
  throw new Failure(`there is no transform ${name}`, {
    code: 'transform.unknown',
    fault: 'user',
    why: `the project has ${names.join(', ')}`,
    hint: meant === undefined ? 'lakeward transform list shows them' : `did you mean ${meant}?`,
    docs: 'lakeward transform list --help',
  });
}

interface Parts extends Surroundings {
  lake: Lake;
  engine: Engine;
  transforms?: readonly Transform[];
  onTransform?: TransformsOptions['onCommit'];
}

export function projectOf(
  { clock, log, settings, lake, engine, transforms = [], onTransform }: Parts,
  signal: AbortSignal,
): TransformsOptions {
  return {
    lake,
    engine,
    transforms,
    signal,
    clock,
    log,
    writer: writerName('transforms'),
    newId,
    random: Math.random,
    maxDays: settings['transforms.maxDays'],
    maxRows: settings['transforms.maxRows'],
    ...(onTransform && { onCommit: onTransform }),
  };
}
