/**
 * What the model takes from measurements of ours, and where each comes from. A figure that was assumed, not measured,
 * says so: the command prints this list.
 */
export interface Figure {
  value: number;
  unit: string;
  /** What it is, and by which measurement. */
  source: string;
  measured: boolean;
}

const measured = (value: number, unit: string, source: string): Figure => ({
  value,
  unit,
  source,
  measured: true,
});
const assumed = (value: number, unit: string, source: string): Figure => ({
  value,
  unit,
  source,
  measured: false,
});

export const FIGURES = {
  eventsPerCoreSecond: measured(
    49_243,
    'events a second and core',
    'make bench of 2026-11-24: 98,486 events/s on 2 cores from stream to staging, the stream’s own process included; on local disk, not on Fargate',
  ),
  benchEventBytes: measured(
    200,
    'bytes',
    'mean event of that bench; larger events are taken to cost in proportion to their bytes',
  ),
  rawRatio: measured(
    0.33,
    'bytes stored for a byte of event',
    'lakeward demo of 2026-11-24, 49.1 MB of events as 16.0 MB of Parquet in raw.events, without the floor of each file; random text compresses less',
  ),
  stagingRatio: measured(0.33, 'bytes stored for a byte of event', 'the same run: 16.0 MB in staging.events'),
  fileFloorBytes: measured(3_117, 'bytes a file', 'Parquet file of one event, 2026-11-24'),
  metadataFilesPerCommit: measured(
    3,
    'files a commit and table',
    'manifest, manifest list and table metadata, counted after one commit',
  ),
  pollMs: measured(
    200,
    'ms',
    'what the processor waits between two reads of a shard that it has read to the end',
  ),
  heartbeatsPerSecond: measured(
    3 / (30 * 0.95),
    'heartbeats a second and processor',
    'three in workers.lease (30 s), brought forward by up to a tenth; each writes an object and lists the others, whose objects are read only when they changed',
  ),
  utilisation: assumed(0.7, 'of a core, and of a shard', 'headroom of 30% for bursts and for catching up'),
  getsPerFile: assumed(3, 'GET a raw file', 'footer and column ranges, when staging reads it'),
} as const satisfies Record<string, Figure>;
