import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../src/base/base.ts';
import {
  openStream,
  type Stream,
  type StreamOptions,
  type TakeOptions,
  type Taking,
} from '../../src/stream/stream.ts';
import { FakeKinesis } from './fake-kinesis.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Our stream client on a scripted endpoint, with time that costs nothing. */
export class StreamUnderTest {
  readonly fake: FakeKinesis;
  readonly stream: Stream;
  readonly folder: string;
  readonly clock: VirtualClock;

  private constructor(parts: { fake: FakeKinesis; stream: Stream; folder: string; clock: VirtualClock }) {
    this.fake = parts.fake;
    this.stream = parts.stream;
    this.folder = parts.folder;
    this.clock = parts.clock;
  }

  static async open({
    shards = 1,
    clock = new VirtualClock({ running: true }),
    ...options
  }: Partial<Omit<StreamOptions, 'clock'>> & {
    shards?: number;
    clock?: VirtualClock;
  } = {}): Promise<StreamUnderTest> {
    const fake = await FakeKinesis.start();
    fake.create('events', shards);
    const stream = openStream({
      name: 'events',
      endpoint: fake.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      clock,
      log: silentLog,
      random: () => 0.5,
      ...options,
    });
    const folder = await mkdtemp(join(tmpdir(), 'stream-'));
    return new StreamUnderTest({ fake, stream, folder, clock });
  }

  /** Endless, as a service takes. */
  async follow(options: Partial<TakeOptions> = {}): Promise<Taking> {
    return this.stream.take({
      stream: await this.stream.describe(),
      positions: new Map(),
      pin: 'TRIM_HORIZON',
      spoolFolder: this.folder,
      maxRows: 100_000,
      maxBytes: 1e9,
      maxAge_ms: 1e12,
      spoolsAhead: 2,
      poll_ms: 1_000,
      ...options,
    });
  }

  /** Everything that is there now. */
  take(options: Partial<TakeOptions> = {}): Promise<Taking> {
    return this.follow({ until_ms: this.fake.now_ms, ...options });
  }

  files(): Promise<string[]> {
    return readdir(this.folder);
  }

  async close(): Promise<void> {
    await this.stream.close();
    await this.fake.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One that is closed when the test that opened it has finished. */
export async function streamUnderTest(
  options: Parameters<typeof StreamUnderTest.open>[0] = {},
): Promise<StreamUnderTest> {
  const test = await StreamUnderTest.open(options);
  onTestFinished(() => test.close());
  return test;
}
