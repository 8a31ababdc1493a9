/** The transforms of a project: every file in its folder, run as it is, by Node, without a build. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure, importProblem, importUserModule } from '../base/base.ts';
import { isTransform, type Transform } from './define.ts';
import { inOrder } from './order.ts';

/** Empty when there is no such folder. Tests, and what lies in folders of it, are left alone. */
export async function loadTransforms(folder: string): Promise<Transform[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names
    .filter((name) => /\.(ts|js|mjs)$/.test(name) && !/\.test\.[a-z]+$|\.d\.ts$/.test(name))
    .sort();
  const transforms: Transform[] = [];
  for (const file of files) transforms.push(...(await transformsIn(join(folder, file))));
  return inOrder(transforms);
}

async function transformsIn(path: string): Promise<Transform[]> {
  const exported = Object.values(await loaded(path)).filter(isTransform);
  if (exported.length > 0) return [...new Set(exported)];
  throw new Failure(`${basename(path)} exports no transform`, {
    code: 'transform.no_export',
    fault: 'user',
    why: 'every file in the folder of transforms defines one',
    hint: 'export default defineTransform({ … }); what several files share belongs into a folder beside them',
    docs: 'docs/how-to/transforms.md',
  });
}

async function loaded(path: string): Promise<Record<string, unknown>> {
  try {
    return await importUserModule(path);
  } catch (cause) {
    if (cause instanceof Failure) throw withFile(cause, path);
    const typesOnly = (cause as { code?: unknown } | null)?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
    throw new Failure(`${path} cannot be read`, {
      code: 'transform.unreadable_file',
      fault: 'user',
      why: importProblem(cause),
      hint: typesOnly
        ? 'Node only strips types: no enum, namespace or parameter property in it'
        : 'mend the file; it is run as it is, by Node, without a build',
      docs: 'docs/how-to/transforms.md',
      cause,
    });
  }
}

function withFile(failure: Failure, path: string): Failure {
  const { code, fault, why, hint, docs } = failure;
  return new Failure(`${basename(path)}: ${failure.message}`, {
    code,
    fault,
    ...(why === undefined ? {} : { why }),
    ...(hint === undefined ? {} : { hint }),
    ...(docs === undefined ? {} : { docs }),
    cause: failure,
  });
}
