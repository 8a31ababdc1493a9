import { count, flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXIT, EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  events: ownFlag(count({ min: 100 }), 200_000, { description: 'How many events to simulate.' }),
  keep: ownFlag(flag(), false, {
    description: 'Leave everything running at the end, until Ctrl-C, to look around.',
  }),
} as const;
export type DemoAction = Action<typeof flags>;

export const demoCommand = (action: DemoAction) =>
  defineCommand(
    {
      name: 'demo',
      summary: 'See it all work, on simulated events.',
      about: [
        'Simulates a language-learning product (accounts, lessons, orders; learners with sessions, abandoned lessons, refunds a week late), with repeated and damaged records, and sends its events through a real stream into a lake of its own, fresh each time. Then asks a few questions in SQL and proves that nothing was lost: the simulation wrote down what is true.',
        'Always uses the embedded stream and the folder demo inside --dir; nothing else is touched.',
      ],
      flags,
      json: true,
      exits: [EXIT.differences, ...EXITS_OF_LAKE],
      examples: [
        { line: 'lakeward demo', does: 'the whole tour' },
        { line: 'lakeward demo --events 2M', does: 'a larger one' },
      ],
      readOn: ['README.md', 'lakeward dev --help'],
    },
    action,
  );
