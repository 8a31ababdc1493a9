import { identityOf } from '../../event/event.ts';
import { findEvent, type Whereabouts } from '../../query/query.ts';
import type { FindAction } from '../commands/find.ts';
import { composeEngine, composeLake } from '../compose.ts';
import { EXIT } from '../exit.ts';
import type { Paint } from '../paint.ts';
import { textPairs } from '../table.ts';
import { visible } from '../visible.ts';

export const find: FindAction = async (context) => {
  const uuid = context.args[0]!;
  await using lake = await composeLake(context, 'reads');
  await using engine = await composeEngine(context, lake, 'questions');
  const found = await findEvent({ lake, engine }, { uuid, identity: identityOf(uuid) });
  await context.out.result(found, (paint) => whereabouts(found, paint));
  if (found.raw.length + found.staging.length + found.quarantine.length > 0) return EXIT.ok;
  context.out.note(`${visible(uuid)} is nowhere in this lake`);
  return EXIT.failed;
};

function whereabouts(found: Whereabouts, paint: Paint): string {
  return (['raw', 'staging', 'quarantine'] as const)
    .flatMap((place) =>
      found[place].map((row, i) => {
        const copy = found[place].length > 1 ? ` (${i + 1} of ${found[place].length})` : '';
        const pairs = Object.entries(row).map(
          ([key, value]) => [key, value as string | number | null] as const,
        );
        return `${paint.bold(`${place}.events${copy}`)}\n${textPairs(pairs, { paint })}`;
      }),
    )
    .join('\n');
}
