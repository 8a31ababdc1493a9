/** Real deaths of the real program. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { endpointOf, lakeward, type Running, start } from './program.ts';
import { seededRandom } from './seeded-random.ts';

const PUT = 200;

/** Puts events until its endpoint is gone; what was not acknowledged is put again by the next round. */
class Producer {
  readonly acknowledged = new Set<string>();
  #waiting: string[] = [];
  #made = 0;

  async putUntilGone(endpoint: string): Promise<void> {
    const client = new KinesisClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    });
    try {
      for (;;) await this.#put(client);
    } catch {
      // Killed: whether the last put happened, nobody knows.
    } finally {
      client.destroy();
    }
  }

  async finish(endpoint: string): Promise<void> {
    const client = new KinesisClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    while (this.#waiting.length > 0) await this.#put(client, []);
    client.destroy();
  }

  async #put(client: KinesisClient, more: readonly string[] = this.#more()): Promise<void> {
    this.#waiting.push(...more);
    const batch = this.#waiting.slice(0, PUT);
    const answer = await client.send(
      new PutRecordsCommand({
        StreamName: 'events',
        Records: batch.map((uuid) => ({ PartitionKey: uuid, Data: Buffer.from(eventOf(uuid)) })),
      }),
    );
    const failed = new Set(batch.filter((_, i) => answer.Records![i]!.ErrorCode !== undefined));
    for (const uuid of batch) if (!failed.has(uuid)) this.acknowledged.add(uuid);
    this.#waiting = [...failed, ...this.#waiting.slice(PUT)];
  }

  #more(): string[] {
    return Array.from({ length: PUT }, () => `event-${this.#made++}`);
  }
}

const eventOf = (uuid: string) =>
  JSON.stringify({ event_uuid: uuid, event_name: `type${uuid.length}:made`, created_at: 1_767_225_600 });

export interface Rounds {
  rounds: number;
  /** The longest that a round lives, ms. */
  most_ms: number;
  /** Of the moments of death. */
  seed?: number;
  /** Where the lake is, if not in the folder. */
  env?: Readonly<Record<string, string>>;
}

export interface Killed {
  acknowledged: ReadonlySet<string>;
  /** As staging has them, in no order. */
  staged: readonly string[];
  /** Of `lakeward verify --deep`. */
  findings: readonly unknown[];
  /** Exit codes of the last start, ended by SIGINT, and of verify. */
  codes: { last: number | null; verify: number | null };
}

/** `lakeward dev`, killed in the middle of puts and commits, and started again; what is there in the end. */
export async function killRounds({ rounds, most_ms, seed = 25, env = {} }: Rounds): Promise<Killed> {
  const dir = await mkdtemp(join(tmpdir(), 'kill-'));
  const dev = (): Running =>
    start(['dev', '--dir', dir, '--stream-port', '0', '--stream-shards', '2', '--commit-max-age', '50ms'], {
      env,
    });
  const random = seededRandom(seed);
  const producer = new Producer();
  for (let round = 0; round < rounds; round++) {
    const running = dev();
    const endpoint = await endpointOf(running, dir);
    const putting = producer.putUntilGone(endpoint);
    // Not a wait for something to happen: the moment of death is the input of this test.
    const died = new Promise<void>((resolve) => {
      setTimeout(() => {
        running.process.kill('SIGKILL');
        resolve();
      }, random() * most_ms);
    });
    await Promise.all([died, running.ended, putting]);
  }

  const last = dev();
  await producer.finish(await endpointOf(last, dir));
  last.process.kill('SIGINT');
  const { code } = await last.ended;
  const verified = await lakeward(['verify', '--deep', '--json', '--dir', dir], { env });
  const { findings } = (JSON.parse(verified.stdout) as { data: { findings: unknown[] } }).data;
  const question = 'select event_uuid from staging.events';
  const staged = await lakeward(['sql', '--dir', dir, '--format', 'csv', question], { env });
  await rm(dir, { recursive: true, force: true });
  return {
    acknowledged: producer.acknowledged,
    staged: staged.stdout.trim().split('\n').slice(1),
    findings,
    codes: { last: code, verify: verified.code },
  };
}
