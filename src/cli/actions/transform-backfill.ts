import { Failure } from '../../base/base.ts';
import { type BackfillPlan, backfill, planBackfill, rangesText } from '../../transforms/transforms.ts';
import type { TransformBackfillAction } from '../commands/transform-backfill.ts';
import { composeEngine, composeLake, sweepWork } from '../compose.ts';
import { EXIT } from '../exit.ts';
import { byteFigure, counted } from '../figures.ts';
import { projectOf, projectTransforms, transformNamed } from '../project-transforms.ts';
import { transformObservers } from '../transform-role.ts';
import { report } from './transform-run.ts';

const DAY_MS = 86_400_000;

export const transformBackfill: TransformBackfillAction = async (context) => {
  const transforms = await projectTransforms(context);
  const transform = transformNamed(transforms, context.args[0]!);
  const { from, to, dryRun } = context.flags;
  const range = {
    ...(from === undefined ? {} : { from: Math.floor(from / DAY_MS) }),
    ...(to === undefined ? {} : { to: Math.floor(to / DAY_MS) }),
  };
  if (transform.mode === 'append' && (from !== undefined || to !== undefined)) throw noDays(transform.name);
  await sweepWork(context);
  await using lake = await composeLake(context, dryRun ? 'reads' : 'keeps');
  await using engine = await composeEngine(context, lake, 'transforms');
  const { onTransform } = transformObservers(context);
  const project = projectOf({ ...context, lake, engine, transforms, onTransform }, context.signal);
  if (!dryRun) return await report(context, [await backfill(project, transform, range)]);
  const plan = await planBackfill(project, transform, range);
  await context.out.result({ ...plan, days: rangesText(plan.days) }, () => `${sentence(plan)}\n`);
  return EXIT.ok;
};

function sentence({ name, kind, days, commits, read, definitionChanged }: BackfillPlan): string {
  const reading = `reading ${counted(read.files, 'file')} (${byteFigure(read.bytes)})`;
  const what =
    kind === 'rebuild'
      ? `would make marts.${name} anew from all events, ${reading}`
      : days.length === 0
        ? 'has no such day to compute'
        : `would compute ${rangesText(days)} anew, in ${counted(commits ?? 0, 'commit')}, ${reading}`;
  return `${name} ${what}${definitionChanged ? '; its definition has changed since' : ''}`;
}

function noDays(name: string): Failure {
  return new Failure(`transform ${name} has no days to choose from`, {
    code: 'cli.usage',
    fault: 'user',
    why: 'its mode is append: its table can only be made anew as a whole',
    hint: `lakeward transform backfill ${name}`,
    docs: 'lakeward transform backfill --help',
  });
}
