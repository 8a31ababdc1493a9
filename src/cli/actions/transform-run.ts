import { Failure } from '../../base/base.ts';
import { rangesText, runTransforms, type TransformOutcome } from '../../transforms/transforms.ts';
import type { TransformRunAction } from '../commands/transform-run.ts';
import { composeEngine, composeLake, sweepWork } from '../compose.ts';
import { EXIT } from '../exit.ts';
import { projectOf, projectTransforms, transformNamed } from '../project-transforms.ts';
import { reportJson, reportOf, reportText } from '../report.ts';
import { textTable } from '../table.ts';
import { transformObservers } from '../transform-role.ts';

export const transformRun: TransformRunAction = async (context) => {
  const transforms = await projectTransforms(context);
  const [name] = context.args;
  const names = name === undefined ? undefined : [transformNamed(transforms, name).name];
  await sweepWork(context);
  const lake = await composeLake(context, 'writes');
  const engine = await composeEngine(context, lake, 'transforms');
  try {
    const { onTransform } = transformObservers(context);
    const project = projectOf({ ...context, lake, engine, transforms, onTransform }, context.signal);
    return await report(context, await runTransforms(project, names));
  } finally {
    await engine.close();
    await lake.close();
  }
};

/** A failed transform is part of the answer: the others did what they were asked for. */
export async function report(
  { out }: Parameters<TransformRunAction>[0],
  outcomes: readonly TransformOutcome[],
) {
  const data = outcomes.map(({ name, commits, rows, days, failure }) => ({
    name,
    commits,
    rows,
    days: rangesText(days),
    ...(failure === undefined ? {} : { error: reportJson(reportOf(failure)) }),
  }));
  await out.result(data, (paint) =>
    textTable(
      ['transform', 'state', 'rows', 'days'],
      data.map((each) => [each.name, stateOf(each), each.rows, each.days]),
      { paint },
    ),
  );
  const failures = outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  for (const failure of failures) out.note(reportText(reportOf(failure), out.notePaint).trimEnd());
  if (failures.some((failure) => !(failure instanceof Failure))) return EXIT.bug;
  return failures.length > 0 ? EXIT.failed : EXIT.ok;
}

function stateOf({ commits, error }: { commits: number; error?: unknown }): string {
  if (error !== undefined) return 'failed';
  return commits === 0 ? 'up to date' : 'committed';
}
