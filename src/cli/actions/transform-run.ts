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
  await using lake = await composeLake(context, 'keeps');
  await using engine = await composeEngine(context, lake, 'transforms');
  const { onTransform } = transformObservers(context);
  const project = projectOf({ ...context, lake, engine, transforms, onTransform }, context.signal);
  return await report(context, await runTransforms(project, names));
};

/** A failed transform is part of the answer, and so is one that was stopped: the others did what they were asked for. */
export async function report(
  { out, signal }: Parameters<TransformRunAction>[0],
  outcomes: readonly TransformOutcome[],
) {
  const data = outcomes.map(({ name, commits, rows, days, failure, stopped }) => ({
    ...{ name, ...(stopped && { stopped }) },
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
  if (failures.length > 0) return EXIT.failed;
  const isDone = !signal.aborted || (outcomes.length > 0 && !outcomes.some(({ stopped }) => stopped));
  if (isDone) return EXIT.ok;
  out.note('stopped; the next run goes on from here');
  return EXIT.stopped;
}

interface State {
  commits: number;
  stopped?: boolean;
  error?: unknown;
}

function stateOf({ commits, stopped, error }: State): string {
  if (error !== undefined) return 'failed';
  if (stopped) return 'stopped';
  return commits === 0 ? 'up to date' : 'committed';
}
