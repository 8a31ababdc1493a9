/**
 * The embedded stream in a process of its own, so that its CPU can be told apart. Prints its address, then, on every
 * line that it gets on stdin, the CPU seconds it has used so far; ends with stdin.
 */
import { createInterface } from 'node:readline';
import { silentLog, systemClock } from '../src/base/base.ts';
import { openStreamServer } from '../src/stream-server/stream-server.ts';

const server = await openStreamServer({
  folder: process.argv[2]!,
  port: 0,
  region: 'us-east-1',
  maxBytes: 20e9,
  retention_ms: 86_400_000,
  clock: systemClock,
  log: silentLog,
});
console.log(server.endpoint);
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1e6);
}
await server.close();
