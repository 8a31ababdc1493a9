import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../engine/engine.ts';
import { notPortable } from '../../transforms/transforms.ts';
import { closing } from '../closing.ts';
import type { TransformCheckAction } from '../commands/transform-check.ts';
import { EXIT } from '../exit.ts';
import { projectTransforms, transformNamed } from '../project-transforms.ts';
import { textTable } from '../table.ts';

export const transformCheck: TransformCheckAction = async (context) => {
  const transforms = await projectTransforms(context);
  const [name] = context.args;
  const asked = name === undefined ? transforms : [transformNamed(transforms, name)];
  await using open = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'lakeward-check-'));
  open.defer(() => rm(folder, { recursive: true, force: true }));
  const workFolder = join(folder, 'engine');
  const engine = open.use(closing(await openEngine({ workFolder, memory_bytes: 128e6, threads: 1 })));
  const data = [];
  for (const transform of asked)
    data.push({ name: transform.name, problems: await notPortable(engine, transform) });
  const rows = data.flatMap(({ name, problems }) =>
    problems.length === 0
      ? [[name, '', 'the same on every engine', '']]
      : problems.map(({ line, column, what, hint }) => [
          name,
          line === undefined ? '' : `${line}:${column}`,
          what,
          hint,
        ]),
  );
  await context.out.result(data, (paint) =>
    textTable(['transform', 'place', 'found', 'instead'], rows, { paint, cellWidth: 100 }),
  );
  return data.some(({ problems }) => problems.length > 0) ? EXIT.differences : EXIT.ok;
};
