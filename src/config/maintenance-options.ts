/** The rows of the table of options that say how tables are maintained. */
import { bytes, count, duration } from './kinds.ts';
import { option, unset } from './option.ts';

const SERVICE = ['dev', 'run'] as const;
const MAINTAINING = ['dev', 'run', 'maintain'] as const;

export const MAINTENANCE_OPTIONS = {
  'maintenance.interval': option(duration(), '1m', {
    description:
      'How often the role maintenance looks whether a table needs compaction or has snapshots to expire. 0 switches it off.',
    example: '10m',
    commands: SERVICE,
  }),
  'maintenance.targetFileSize': option(bytes({ min: 100_000 }), '128MiB', {
    description:
      'Compaction makes files of about this size. Those that have three quarters of it are left alone.',
    example: '512MiB',
    commands: MAINTAINING,
  }),
  'maintenance.minFiles': option(count({ min: 2, max: 100 }), 8, {
    description:
      'So many files of about one size in a partition are rewritten as one. More of them means less rewriting, and more files.',
    example: '16',
    commands: MAINTAINING,
  }),
  'maintenance.maxBytes': option(bytes({ min: 1_000_000 }), '2GB', {
    description: 'What one round of maintenance rewrites of one table at most; the next goes on from there.',
    example: '10GB',
    commands: MAINTAINING,
  }),
  'maintenance.keepSnapshots': option(duration(), '5d', {
    description:
      'How long snapshots are kept, for time travel and rollback. The table property history.expire.max-snapshot-age-ms goes before it.',
    example: '1d',
    commands: MAINTAINING,
  }),
  'maintenance.minSnapshots': option(count({ min: 1 }), 20, {
    description:
      'Snapshots that are kept however old they are. The table property history.expire.min-snapshots-to-keep goes before it.',
    example: '100',
    commands: MAINTAINING,
  }),
  'maintenance.maxSnapshots': option(count({ min: 1 }), 1_000, {
    description:
      'Beyond so many, snapshots go before their time, but not in the ten minutes after they were the current one: each takes about a kilobyte of a file that every commit writes anew.',
    example: '5000',
    commands: MAINTAINING,
  }),
  'consumer.maxLag': option(duration(), '7d', {
    description:
      'How long maintenance keeps history for a consumer of a table that does not go on. One that comes back later reads everything again, and drops what it has.',
    example: '14d',
    commands: MAINTAINING,
  }),
  'raw.retention': unset(duration({ min: 86_400_000 }), {
    description:
      'Whole days of raw.events that are older, and that staging has read, are dropped. Unset: raw is kept for ever. What is dropped cannot be staged again.',
    example: '90d',
    commands: MAINTAINING,
  }),
} as const;
