import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleProject } from '../support/example-project.ts';
import { start } from '../support/program.ts';

const DAYS = 12;
const ROUNDS = 8;

/** Some orders a day, some of them refunded a week later: what a day holds changes with every round. */
const documents = (round: number): string[] =>
  Array.from({ length: DAYS }, (_, day) => {
    const order = { id: `${round}-${day}`, plan: 'monthly', currency: 'EUR', amount_minor: 100 };
    const event = (name: string, at: number, more: object = {}) =>
      JSON.stringify({
        event_uuid: `${name} ${round} ${day}`,
        event_name: `payment:order:${name}`,
        created_at: Date.UTC(2026, 0, 1 + at, 12) / 1000,
        order,
        ...more,
      });
    const refund = { refund: { amount_minor: 100 } };
    return [
      event('completed', day),
      ...((day + round) % 3 === 0 ? [event('refunded', day + 7, refund)] : []),
    ];
  }).flat();

it(`after ${ROUNDS} times kill -9 between and in commits, a mart holds exactly what its events give`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kill-transforms-'));
  try {
    const { send, run, rows } = exampleProject('payments', folder);
    for (let round = 0; round < ROUNDS; round++) {
      await send(documents(round));
      expect((await run('run', '--once', 'processor', 'staging')).code).toBe(0);
      await killAfterCommits(folder, 1 + (round % 5));
    }
    expect((await run('transform', 'run')).code).toBe(0);
    expect(await rows(SALES)).toEqual(expected());
    // Written anew from nothing it is the same.
    expect((await run('transform', 'backfill', 'sales')).code).toBe(0);
    expect(await rows(SALES)).toEqual(expected());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const SALES = 'select day::varchar as day, orders, refunds from marts.sales order by day';

function expected() {
  return Array.from({ length: DAYS }, (_, day) => ({
    day: new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
    orders: ROUNDS,
    refunds: Array.from({ length: ROUNDS }, (_, round) => round).filter((round) => (day + round) % 3 === 0)
      .length,
  }));
}

/** A day a commit; killed at its next step after so many of them, or at its end. */
async function killAfterCommits(folder: string, commits: number): Promise<void> {
  const args = ['transform', 'run', '--transforms-max-days', '1', '--log-level', 'info'];
  const running = start([...args, '--dir', join(folder, 'lake')], {
    cwd: join(import.meta.dirname, '../../examples/payments'),
  });
  running.process.stderr?.on('data', () => {
    if (running.stderr().split('transform.committed').length > commits) running.process.kill('SIGKILL');
  });
  await running.ended;
}
