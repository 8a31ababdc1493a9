import type { ConsumerShape, Operations } from '../kinesis/kinesis.ts';
import type { ConsumerEntry } from './catalog.ts';
import { issueListToken, readListToken } from './list-token.ts';
import type { LiveStream } from './live-stream.ts';
import { arnPrefix, findStream, noStream, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';
import { checkedTags } from './tags.ts';

const CONSUMERS_OF_A_STREAM_MAX = 20;
const RESULTS_MAX = 100;

type Input<O extends keyof Operations> = Operations[O]['input'];
type Output<O extends keyof Operations> = Operations[O]['output'];

/** Active at once: there is nothing to set up. */
export async function registerStreamConsumer(
  service: Service,
  input: Input<'RegisterStreamConsumer'>,
): Promise<Output<'RegisterStreamConsumer'>> {
  const stream = findStream(service, input);
  const { ConsumerName: name } = input;
  const tags = checkedTags(input.Tags);
  const now_s = Math.floor(service.clock.now() / 1000);
  await service.store.update(stream, (entry) => {
    const { newest_s, registered } = entry.consumers ?? NONE;
    if (registered.some((consumer) => consumer.name === name))
      throw new ServiceError('ResourceInUseException', `Consumer ${name} of ${stream.arn} already exists.`);
    if (registered.length >= CONSUMERS_OF_A_STREAM_MAX)
      throw new ServiceError(
        'LimitExceededException',
        `A stream has ${CONSUMERS_OF_A_STREAM_MAX} registered consumers at most.`,
      );
    // In the ARN: a consumer registered again under its name is another one.
    const createdAt_s = Math.max(now_s, newest_s + 1);
    const consumer: ConsumerEntry = { name, createdAt_s, ...tags };
    return { ...entry, consumers: { newest_s: createdAt_s, registered: [...registered, consumer] } };
  });
  const consumer = consumersOf(stream).find((one) => one.name === name);
  if (!consumer) throw noStream(service, stream.entry.name);
  return { Consumer: shape(stream, consumer) };
}

export async function deregisterStreamConsumer(
  service: Service,
  input: Input<'DeregisterStreamConsumer'>,
): Promise<undefined> {
  const { stream, consumer } = findConsumer(service, input);
  await service.store.update(stream, (entry) => ({
    ...entry,
    consumers: {
      ...(entry.consumers ?? NONE),
      registered: (entry.consumers ?? NONE).registered.filter(
        ({ name, createdAt_s }) => name !== consumer.name || createdAt_s !== consumer.createdAt_s,
      ),
    },
  }));
  const consumerArn = arnOf(stream, consumer);
  service.subscriptions.end(consumerArn, noConsumer(consumerArn));
}

export function describeStreamConsumer(
  service: Service,
  input: Input<'DescribeStreamConsumer'>,
): Output<'DescribeStreamConsumer'> {
  const { stream, consumer } = findConsumer(service, input);
  return { ConsumerDescription: { ...shape(stream, consumer), StreamARN: stream.arn } };
}

export function listStreamConsumers(
  service: Service,
  input: Input<'ListStreamConsumers'>,
): Output<'ListStreamConsumers'> {
  const now_ms = service.clock.now();
  const stream = findStream(service, input);
  const after = input.NextToken && readListToken(input.NextToken, 'consumers', now_ms).after;
  const rest = consumersOf(stream)
    .filter(({ name }) => !after || name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = rest.slice(0, Math.min(input.MaxResults ?? RESULTS_MAX, RESULTS_MAX));
  return {
    Consumers: page.map((consumer) => shape(stream, consumer)),
    ...(rest.length > page.length && {
      NextToken: issueListToken({ list: 'consumers', after: page.at(-1)!.name }, now_ms),
    }),
  };
}

export interface FoundConsumer {
  stream: LiveStream;
  consumer: ConsumerEntry;
}

/** By its ARN, by stream and name, or by all if they agree. */
export function findConsumer(
  service: Service,
  { ConsumerARN, StreamARN, ConsumerName }: Input<'DescribeStreamConsumer'>,
): FoundConsumer {
  if (ConsumerARN === undefined && (StreamARN === undefined || ConsumerName === undefined))
    throw new ServiceError(
      'InvalidArgumentException',
      'Either ConsumerARN, or both StreamARN and ConsumerName must be given.',
    );
  const wanted = ConsumerARN ?? `consumer ${ConsumerName} of ${StreamARN}`;
  const streamArn = ConsumerARN?.split('/consumer/')[0] ?? StreamARN!;
  const name = streamArn.slice(arnPrefix(service).length);
  const stream = streamArn.startsWith(arnPrefix(service)) ? service.store.stream(name) : undefined;
  if (!stream || stream.isDeleted) throw noConsumer(wanted);
  const consumer = consumersOf(stream).find(
    (one) =>
      (ConsumerARN === undefined || arnOf(stream, one) === ConsumerARN) &&
      (ConsumerName === undefined || one.name === ConsumerName),
  );
  if (!consumer || (StreamARN !== undefined && StreamARN !== stream.arn)) throw noConsumer(wanted);
  return { stream, consumer };
}

export function arnOf({ arn }: LiveStream, { name, createdAt_s }: ConsumerEntry): string {
  return `${arn}/consumer/${name}:${createdAt_s}`;
}

const NONE = { newest_s: 0, registered: [] as ConsumerEntry[] };

export function consumersOf({ entry }: LiveStream): ConsumerEntry[] {
  return [...(entry.consumers ?? NONE).registered];
}

function noConsumer(wanted: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', `There is no consumer ${wanted}.`);
}

function shape(stream: LiveStream, consumer: ConsumerEntry): ConsumerShape {
  return {
    ConsumerName: consumer.name,
    ConsumerARN: arnOf(stream, consumer),
    ConsumerStatus: 'ACTIVE',
    ConsumerCreationTimestamp: consumer.createdAt_s,
  };
}
