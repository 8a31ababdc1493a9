import { bytes, count, duration } from '../../config/config.ts';
import { DEFAULT_WORKLOAD } from '../../forecast/forecast.ts';
import { type Action, defineCommand, ownFlag, ownFlagUnset } from '../command.ts';

const flags = {
  'events-per-hour': ownFlag(count({ min: 1, max: 1e12 }), DEFAULT_WORKLOAD.events_per_hour, {
    description: 'The rate, taken to hold all month long.',
  }),
  'event-size': ownFlagUnset(bytes({ min: 1, max: 2 ** 20 }), {
    description: 'Mean size of an event as JSON. Default: 1KiB.',
  }),
  'events-per-record': ownFlag(count({ min: 1, max: 1e6 }), DEFAULT_WORKLOAD.events_per_record, {
    description: 'Events that producers put into one record, as the KPL does.',
  }),
  'event-types': ownFlag(count({ min: 1, max: 1e6 }), DEFAULT_WORKLOAD.event_types, {
    description: 'Event types with partitions of their own.',
  }),
  retention: ownFlagUnset(duration({ min: 3_600_000, max: 36_500 * 86_400_000 }), {
    description: 'How long raw and staging are kept. Default: 365d.',
  }),
  'commit-interval': ownFlagUnset(duration({ min: 100, max: 86_400_000 }), {
    description: 'Time between two commits of a processor (its commit.maxAge). Default: 60s.',
  }),
} as const;
export type ForecastAction = Action<typeof flags>;

export const forecastCommand = (action: ForecastAction) =>
  defineCommand(
    {
      name: 'forecast',
      summary: 'What a rate of events needs and costs on AWS, beside Firehose.',
      about: [
        'Shards, requests, files, processors, storage and dollars a month, from figures that we measured and prices of one day in us-east-1. Nothing is asked of AWS, and no lake is opened. --json has every price and figure with its source.',
        'An estimate: no bill of AWS was compared with it.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward forecast', does: '1,000,000 events an hour' },
        {
          line: 'lakeward forecast --events-per-hour 1000M --event-size 1KiB --events-per-record 20',
          does: 'a thousand times more, 20 of them in a record',
        },
        {
          line: 'lakeward forecast --events-per-hour 1000 --commit-interval 1h --json',
          does: 'a thousand times less, for a script',
        },
      ],
      readOn: ['docs/explanation/scale.md', 'docs/explanation/no-transformation.md'],
    },
    action,
  );
