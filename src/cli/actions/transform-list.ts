import { type TransformStatus, transformStatus } from '../../transforms/transforms.ts';
import type { TransformListAction } from '../commands/transform-list.ts';
import { composeLakeOrEmpty } from '../compose.ts';
import { projectTransforms } from '../project-transforms.ts';
import { textTable } from '../table.ts';

export const transformList: TransformListAction = async (context) => {
  const transforms = await projectTransforms(context);
  await using lake = await composeLakeOrEmpty(context);
  const data = await Promise.all(
    transforms.map(async (transform) => {
      const { name, mode, from, rows, state, runs } = await transformStatus(lake, transform);
      const last = runs[0] && new Date(runs[0].at_ms).toISOString();
      return { name, mode, from, rows, state, lastRun: last ?? null };
    }),
  );
  await context.out.result(data, (paint) =>
    textTable(
      ['transform', 'mode', 'reads', 'rows', 'last commit', 'state'],
      data.map((t) => [t.name, t.mode, t.from.join(' '), t.rows, t.lastRun, STATES[t.state]]),
      { paint },
    ),
  );
};

export const STATES: Record<TransformStatus['state'], string> = {
  new: 'never run',
  current: 'as defined',
  changed: 'its definition has changed',
  taken: 'its table is of another program',
};
