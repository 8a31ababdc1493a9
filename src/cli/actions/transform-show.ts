import { rangesText, transformStatus } from '../../transforms/transforms.ts';
import type { TransformShowAction } from '../commands/transform-show.ts';
import { composeLakeOrEmpty } from '../compose.ts';
import { byteFigure, figure } from '../figures.ts';
import { projectTransforms, transformNamed } from '../project-transforms.ts';
import { textPairs, textTable } from '../table.ts';
import { STATES } from './transform-list.ts';

export const transformShow: TransformShowAction = async (context) => {
  const transform = transformNamed(await projectTransforms(context), context.args[0]!);
  await using lake = await composeLakeOrEmpty(context);
  const status = await transformStatus(lake, transform);
  const outdated = rangesText(status.outdated);
  const runs = status.runs.slice(0, context.flags.limit).map(({ days, ...run }) => ({
    ...run,
    at: new Date(run.at_ms).toISOString(),
    days: rangesText(days),
  }));
  await context.out.result(
    { ...status, sql: transform.sql, outdated, runs },
    (paint) =>
      `${textPairs(
        [
          ['table', `marts.${status.name}`],
          ['mode', status.mode],
          ['partition', status.partition ?? 'none'],
          ['reads', status.from.join(', ')],
          ['rows', status.rows],
          ['state', STATES[status.state]],
          ...(outdated === '' ? [] : ([['of an older definition', outdated]] as const)),
          ...status.columns.map(({ name, type }) => [`  ${name}`, type] as const),
        ],
        { paint },
      )}\n${textTable(
        ['run', 'kind', 'days', 'rows', 'taken out', 'files read', 'bytes read', 'ms'],
        runs.map((run) => [
          run.at,
          run.kind,
          run.days,
          run.rows,
          run.removed,
          figure(run.read.files),
          byteFigure(run.read.bytes),
          run.took_ms,
        ]),
        { paint, cellWidth: 60 },
      )}`,
  );
};
