import { choice, count } from '../../config/config.ts';
import { CRASHED_ENGINE, REASONS, type ReasonCode } from '../../event/event.ts';
import { type Action, defineCommand, ownFlag, ownFlagUnset } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {
  reason: ownFlagUnset(choice<ReasonCode>(...REASONS.map(({ code }) => code), CRASHED_ENGINE.code), {
    placeholder: 'CODE',
    description: 'Only records with this reason.',
  }),
  limit: ownFlag(count({ min: 1, max: 100_000 }), 20, { description: 'Show at most this many records.' }),
} as const;
export type QuarantineListAction = Action<typeof flags>;

export const quarantineListCommand = (action: QuarantineListAction) =>
  defineCommand(
    {
      name: 'quarantine list',
      summary: 'Records that could not be events, and why.',
      about: [
        'Shows how many records are in quarantine for each reason, and the latest of them: reason, detail, stream position, time of arrival and the first bytes. Every record is kept byte for byte in quarantine.events.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward quarantine list', does: 'all reasons, and the latest records' },
        { line: 'lakeward quarantine list --reason bad_created_at --limit 100', does: 'one reason' },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/reference/reasons.md'],
    },
    action,
  );
