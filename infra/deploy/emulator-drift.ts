/**
 * Where an emulator does not give back what it was told, so that Terraform finds something to change for ever. Only
 * what is listed here, attribute by attribute, is taken for the emulator's; on AWS nothing is.
 */
import { type Change, changedAttributes } from './plan-file.ts';

interface Known {
  type: string;
  attributes: readonly string[];
  why: string;
}

const KNOWN: readonly Known[] = [
  {
    type: 'aws_cloudwatch_metric_alarm',
    attributes: ['tags_all'],
    why: 'LocalStack 4.14.0 forgets the tags of an alarm that is made with them',
  },
  {
    type: 'aws_kms_key',
    attributes: ['rotation_period_in_days'],
    why: 'moto 5.2.1 does not say how often a key is rotated',
  },
  {
    type: 'aws_kinesis_stream',
    attributes: ['tags', 'tags_all'],
    why: 'moto 5.2.1 forgets the tags of a stream that is made with them',
  },
];

/** The changes that a known fault of an emulator explains, with it. */
export function explainDrift(changes: readonly Change[]): Map<Change, string> {
  const explained = new Map<Change, string>();
  for (const change of changes) {
    if (change.change.actions.join() !== 'update') continue;
    const attributes = changedAttributes(change);
    const known = KNOWN.find(
      ({ type, attributes: theirs }) =>
        type === change.type && attributes.every((name) => theirs.includes(name)),
    );
    if (known !== undefined) explained.set(change, known.why);
  }
  return explained;
}
