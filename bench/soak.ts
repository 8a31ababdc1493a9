/**
 * Does anything get lost, however long it goes on? For so many minutes by turns: generated schedules of faults over
 * virtual time, rounds of kill -9 of the whole program, outages of store, catalog and stream in real time, each with a
 * worker of its own, and a producer that is three times as fast as the worker. What was done is kept in
 * .local/soak.json: the next call goes on with other seeds, until 10,000 schedules and 1,000 kills are through. The
 * last line is the figure against the bar.
 *
 * Usage: node bench/soak.ts [MINUTES] [schedules|kills|outages|pressure]
 * With one of the four the time is its alone: 60 minutes of `outages` are an hour without each of the three, at once,
 * 20 minutes of `pressure` ten minutes of the producer; less time shortens each.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { openEngine } from '../src/engine/engine.ts';
import { killRounds } from '../tests/support/kill-rounds.ts';
import { schedules } from '../tests/support/schedules/schedule.ts';
import { type Outcome, runSchedule } from '../tests/support/schedules/world.ts';
import { AWAY, type Away, Deployment, MEMORY_MB } from './soak-deployment.ts';

const MINUTES = Number(process.argv[2] ?? 10);
if (!(MINUTES > 0)) throw new Error('MINUTES is a number above 0');
const STATE = join(import.meta.dirname, '../.local/soak.json');
const MOST = { schedules: 10_000, kills: 1_000 };
const AT_ONCE = { schedules: 10, kills: Math.max(1, Math.min(5, Math.floor(MINUTES / 2))) };
/** Of the time, as long as there is something left of each. */
const ALL = { schedules: 0.45, kills: 0.25, outages: 0.1, pressure: 0.2 };
type Activity = keyof typeof ALL;
const ONLY = process.argv[3];
if (ONLY !== undefined && !Object.hasOwn(ALL, ONLY))
  throw new Error(`${ONLY} is none of ${Object.keys(ALL)}`);
const SHARES: Partial<Record<Activity, number>> = ONLY === undefined ? ALL : { [ONLY]: 1 };
/** Turns that an activity's time is cut into. */
const TURNS = ONLY === undefined ? 2 : 1;
/** Most schedules take a second; none that goes on at all takes so long. */
const HANGS_MS = 300_000;
const HUNG: Outcome = {
  ...{ injected: {}, acknowledged: 0, staged: 0, lost: 0, doubled: 0 },
  findings: [`it hangs: nothing in ${HANGS_MS / 1_000} s`],
};
const BACKLOG = 5_000;
/** Of which the time that a poll and a commit take is little. */
const MEASURED = 100_000;
/** What the store takes a second under pressure, so that one machine can make three times what the worker can do. */
const LINE_BYTES = 500_000;
/** Put at once; the worker is looked at in between. */
const PORTION = 20_000;
const TIMES_CAPACITY = 3;
/** Of them; a producer that comes to less, on a machine that others crowd, shows nothing. */
const PRESSURE_LEAST = 0.8;
const TICK_MS = 250;
const PUT_IN_OUTAGE = 500;
/** RSS of the last third of the samples against the third before. */
const GROWTH_MOST = 1.15;
/** Of one a second: fewer are too short to tell. */
const SAMPLES_LEAST = 30;

interface State {
  schedules: number;
  kills: number;
  outages: number;
  pressure_s: number;
  injected: Record<string, number>;
  acknowledged: number;
  staged: number;
  lost: number;
  doubled: number;
  rss_mb: number;
  /** What failed, and how it is made again. */
  failures: string[];
}

const NOTHING: State = {
  ...{ schedules: 0, kills: 0, outages: 0, pressure_s: 0, injected: {} },
  ...{ acknowledged: 0, staged: 0, lost: 0, doubled: 0, rss_mb: 0, failures: [] },
};

const state = await readFile(STATE, 'utf8').then(
  (text) => ({ ...NOTHING, ...(JSON.parse(text) as State) }),
  () => structuredClone(NOTHING),
);
const until_ms = Date.now() + MINUTES * 60_000;
const begun = state.failures.length;
if (state.schedules + state.kills > 0)
  console.log(`going on behind ${state.schedules} schedules and ${state.kills} kills`);

const ACTIVITIES: Record<Activity, () => Promise<void>> = {
  schedules: soakSchedules,
  kills: soakKills,
  outages: soakOutages,
  pressure: soakPressure,
};

const spent: Record<Activity, number> = { schedules: 0, kills: 0, outages: 0, pressure: 0 };
// Each at least once, however short the time is: a call that left one out would say nothing of it.
for (const activity of Object.keys(SHARES) as Activity[]) await soak(activity);
for (let next = furthestBehind(); Date.now() < until_ms && next !== undefined; next = furthestBehind())
  await soak(next);
report();

async function soak(activity: Activity): Promise<void> {
  if (isDone(activity)) return;
  const at = performance.now();
  await ACTIVITIES[activity]();
  spent[activity] += performance.now() - at;
  await save();
  console.log(progress());
}

function isDone(activity: Activity): boolean {
  if (activity === 'schedules' || activity === 'kills') return state[activity] >= MOST[activity];
  return ONLY === activity && spent[activity] > 0;
}

/** How long one turn of an activity may take at most. */
function turn_ms(activity: Activity): number {
  return (MINUTES * 60_000 * (SHARES[activity] ?? 0)) / TURNS;
}

/** Whose share of the time is used least; undefined when all is done. */
function furthestBehind(): Activity | undefined {
  const left = (Object.keys(SHARES) as Activity[]).filter((activity) => !isDone(activity));
  return left.toSorted((a, b) => spent[a] / SHARES[a]! - spent[b] / SHARES[b]!)[0];
}

async function soakSchedules(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const engine = await openEngine({ workFolder: join(folder, 'engine'), memory_bytes: 500e6, threads: 1 });
  const seed = 1 + state.schedules;
  const end_ms = Date.now() + turn_ms('schedules');
  for (const schedule of fc.sample(schedules, { numRuns: AT_ONCE.schedules, seed })) {
    const outcome = await Promise.race([
      runSchedule(schedule, engine),
      wait(HANGS_MS, undefined, { ref: false }),
    ]);
    const { injected, findings, ...counts } = outcome ?? HUNG;
    for (const [kind, count] of Object.entries(injected)) inject(kind, count);
    counted(counts);
    state.schedules++;
    if (findings.length > 0) {
      const again = `LAKEWARD_SCHEDULES=${AT_ONCE.schedules} LAKEWARD_SCHEDULES_SEED=${seed} in tests/crashes/schedules.test.ts`;
      fail(`schedule of seed ${seed} (${again}): ${findings.join('; ')}`);
    }
    if (Date.now() > end_ms) break;
  }
  await engine.close();
  await rm(folder, { recursive: true, force: true });
}

async function soakKills(): Promise<void> {
  const seed = 1_000 + state.kills;
  const rounds = Math.min(AT_ONCE.kills, MOST.kills - state.kills);
  const { acknowledged, staged, findings, codes } = await killRounds({ rounds, most_ms: 2_500, seed });
  const held = new Set(staged);
  const lost = [...acknowledged].filter((uuid) => !held.has(uuid)).length;
  counted({
    ...{ acknowledged: acknowledged.size, staged: acknowledged.size - lost },
    ...{ lost, doubled: staged.length - held.size },
  });
  state.kills += rounds;
  inject('kill -9', rounds);
  if (findings.length > 0 || codes.last !== 0 || codes.verify !== 0)
    fail(`kill rounds of seed ${seed}: ${JSON.stringify({ findings, codes })}`);
}

/** Store, catalog and stream are away at once, each from a worker of its own: an hour of all takes one hour. */
async function soakOutages(): Promise<void> {
  const ms = Math.max(30_000, Math.min(turn_ms('outages'), 3_600_000));
  await Promise.all(
    AWAY.map((away) =>
      deployed(`${away} away`, { service: away === 'catalog' }, async (deployment) => {
        deployment.take(away);
        await deployment.put(PUT_IN_OUTAGE);
        await watchOutage(deployment, { away, ms });
        deployment.giveBack(away);
        await deployment.until(({ staged, health }) => staged === deployment.acknowledged && health === 'ok');
        state.outages++;
        inject(`${away} away`, 1);
      }),
    ),
  );
}

function soakPressure(): Promise<void> {
  const ms = Math.max(30_000, Math.min(turn_ms('pressure') * 0.5, 600_000));
  return deployed('pressure', { service: false }, async (deployment) => {
    deployment.narrow(LINE_BYTES);
    const capacity = await capacityOf(deployment);
    await press(deployment, { capacity, ms });
  });
}

/** What happens to a worker that runs, and what it left in the end. */
async function deployed(
  name: string,
  options: { service: boolean },
  happening: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  const deployment = await Deployment.open(folder, options);
  try {
    await deployment.put(BACKLOG);
    await deployment.start();
    await deployment.until(({ staged }) => staged === deployment.acknowledged);
    await happening(deployment);
    const { findings, ...compared } = await deployment.compare();
    counted({ ...compared, lost: compared.acknowledged - compared.staged });
    if (findings.length > 0) fail(`verify after ${name}: ${JSON.stringify(findings)}`);
  } catch (error) {
    fail(`${name}: ${(error as Error).message}`);
  } finally {
    await deployment.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Staged events a second while there is a backlog. */
async function capacityOf(deployment: Deployment): Promise<number> {
  const at = performance.now();
  await deployment.put(MEASURED);
  await deployment.until(({ staged }) => staged === deployment.acknowledged);
  return MEASURED / ((performance.now() - at) / 1_000);
}

/** It goes on, says so once a minute, and is well again without a hand. */
async function watchOutage(deployment: Deployment, { away, ms }: { away: Away; ms: number }): Promise<void> {
  const said = deployment.lines('health.degraded');
  const before = (await deployment.read()).rss_mb;
  const rss: number[] = [];
  let degraded = false;
  for (const end = Date.now() + ms; Date.now() < end; await wait(1_000)) {
    const { health, rss_mb } = await deployment.read();
    degraded ||= health === 'degraded';
    rss.push(rss_mb);
  }
  checkMemory(rss, `${away} away`);
  const lines = deployment.lines('health.degraded') - said;
  const minutes = Math.ceil(ms / 60_000);
  console.log(
    `  ${away} away for ${(ms / 1_000).toFixed(0)} s: ${degraded ? 'degraded' : 'NOT degraded'}, ${lines} lines, RSS ${before.toFixed(0)}, then ${levels(rss)} MB`,
  );
  if (!degraded) fail(`${away} away: health did not say so`);
  // Told when something is tried, which is once a minute at the least after a while.
  const least = Math.max(1, Math.floor(minutes / 2));
  if (lines > minutes + 1 || lines < least) fail(`${away} away: ${lines} lines in ${minutes} minutes`);
}

async function press(
  deployment: Deployment,
  { capacity, ms }: { capacity: number; ms: number },
): Promise<void> {
  const rss: number[] = [];
  const rate = TIMES_CAPACITY * capacity;
  const [at, first] = [performance.now(), deployment.acknowledged];
  let sampled_ms = 0;
  for (let passed = 0; passed < ms; passed = performance.now() - at) {
    const due = Math.floor((rate * passed) / 1_000) - (deployment.acknowledged - first);
    if (due > 0) await deployment.put(Math.min(due, PORTION));
    else await wait(TICK_MS);
    if (passed - sampled_ms < 1_000) continue;
    sampled_ms = passed;
    rss.push((await deployment.read()).rss_mb);
  }
  const seconds = (performance.now() - at) / 1_000;
  const put = (deployment.acknowledged - first) / seconds;
  const behind = deployment.acknowledged - (await deployment.read()).staged;
  await deployment.until(
    ({ staged }) => staged === deployment.acknowledged,
    ({ rss_mb }) => remember(rss_mb),
  );
  state.pressure_s += seconds;
  inject('seconds of pressure', Math.round(seconds));
  console.log(
    `  capacity ${capacity.toFixed(0)}/s, producer ${put.toFixed(0)}/s for ${seconds.toFixed(0)} s, ${behind} behind then, worked off; RSS ${levels(rss)} MB`,
  );
  const least = TIMES_CAPACITY * PRESSURE_LEAST;
  if (put < least * capacity)
    fail(`no pressure: the producer came to ${(put / capacity).toFixed(1)} times the capacity, not ${least}`);
  checkMemory(rss, 'pressure');
}

function checkMemory(rss: readonly number[], during: string): void {
  for (const sample of rss) remember(sample);
  const { middle, last } = thirdsOf(rss);
  if (rss.length >= SAMPLES_LEAST && last > middle * GROWTH_MOST)
    fail(`memory grew during ${during}: ${levels(rss)} MB`);
}

function levels(rss: readonly number[]): string {
  const { middle, last } = thirdsOf(rss);
  return `${middle.toFixed(0)} → ${last.toFixed(0)}`;
}

function thirdsOf(rss: readonly number[]): { middle: number; last: number } {
  const third = Math.ceil(rss.length / 3);
  return { middle: mean(rss.slice(third, 2 * third)), last: mean(rss.slice(2 * third)) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function remember(rss_mb: number): void {
  state.rss_mb = Math.max(state.rss_mb, rss_mb);
}

function inject(kind: string, count: number): void {
  state.injected[kind] = (state.injected[kind] ?? 0) + count;
}

function counted(counts: Pick<State, 'acknowledged' | 'staged' | 'lost' | 'doubled'>): void {
  for (const key of ['acknowledged', 'staged', 'lost', 'doubled'] as const) state[key] += counts[key];
}

function fail(what: string): void {
  state.failures.push(what);
  console.log(`FAILED ${what}`);
}

async function save(): Promise<void> {
  await mkdir(join(STATE, '..'), { recursive: true });
  await writeFile(STATE, `${JSON.stringify(state, undefined, 2)}\n`);
}

function progress(): string {
  const left = Math.max(0, Math.round((until_ms - Date.now()) / 1_000));
  return `${state.schedules} of ${MOST.schedules} schedules, ${state.kills} of ${MOST.kills} kills, ${state.outages} outages, ${state.acknowledged} acknowledged, ${state.lost} lost, ${state.doubled} doubled; ${left} s left`;
}

function report(): void {
  console.log('\nfaults injected, over all calls:');
  for (const [kind, count] of Object.entries(state.injected).sort())
    console.log(`  ${kind.padEnd(28)}${count}`);
  console.log(`events acknowledged ${state.acknowledged}, staged ${state.staged}`);
  for (const failure of state.failures) console.log(`failed: ${failure}`);
  const memory = MEMORY_MB.limit + MEMORY_MB.engine;
  const rounds = state.schedules + state.kills + state.outages;
  const ok =
    [state.lost, state.doubled, state.failures.length].every((count) => count === 0) &&
    state.rss_mb <= memory;
  console.log(
    `${ok ? 'held' : 'MISSED'}: ${state.lost} lost, ${state.doubled} doubled, ${state.failures.length} failures in ${rounds} rounds (bar: 0, 0, 0); worker’s memory ${state.rss_mb.toFixed(0)} MB (bar: ${memory} MB)`,
  );
  process.exitCode = ok && state.failures.length === begun ? 0 : 1;
}
