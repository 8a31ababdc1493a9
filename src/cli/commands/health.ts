import { duration, flag } from '../../config/config.ts';
import { type Action, defineCommand, ownFlag } from '../command.ts';

const flags = {
  live: ownFlag(flag(), false, {
    description:
      'Only whether a restart would help. For checks that restart a container: an outage of the stream or the catalog is no reason to.',
  }),
  timeout: ownFlag(duration({ min: 100 }), 3_000, {
    description: 'A running process that has not answered by then is unhealthy.',
  }),
} as const;
export type HealthAction = Action<typeof flags>;

export const healthCommand = (action: HealthAction) =>
  defineCommand(
    {
      name: 'health',
      summary: 'Whether all is well, as an exit code and one line.',
      about: [
        'Asks the processes that run on this folder through their health ports (lakeward run has one; lakeward dev with --monitor-port). Without any, it judges from the lake and the stream, as lakeward status does.',
        'Exit code 0: all is well. 1: it is not, and the line says why. Needs no shell, so it can be the health check of a container.',
      ],
      flags,
      json: true,
      examples: [
        { line: 'lakeward health', does: 'does everything get through?' },
        { line: 'lakeward health --live', does: 'as a container health check' },
      ],
      readOn: ['docs/how-to/monitor.md', 'lakeward status --help'],
    },
    action,
  );
