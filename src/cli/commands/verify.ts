import { flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';
import { EXIT, EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  deep: ownFlag(flag(), false, {
    description: 'Also compare the content of every row of staging with its copies in raw. Reads all data.',
  }),
} as const;
export type VerifyAction = Action<typeof flags>;

export const verifyCommand = (action: VerifyAction) =>
  defineCommand(
    {
      name: 'verify',
      summary: 'Prove that nothing was lost and nothing doubled.',
      about: [
        'Counts again from the data itself: received = written + duplicate + quarantined over all snapshots; the rows in raw and quarantine against those figures; every distinct event_uuid of raw exactly once in staging; and the stream against raw, as far back as the stream still reaches.',
        'A difference ends with exit code 3 and says precisely what differs, where.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward verify', does: 'the proof, for people' },
        { line: 'lakeward verify --deep --json', does: 'everything, for a script' },
      ],
      exits: [EXIT.differences, ...EXITS_OF_LAKE],
      readOn: ['docs/INVARIANTS.md', 'lakeward find --help'],
    },
    action,
  );
