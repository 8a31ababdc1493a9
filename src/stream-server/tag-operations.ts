import type { Operations } from '../kinesis/kinesis.ts';
import type { StreamEntry } from './catalog.ts';
import { findConsumer } from './consumer-operations.ts';
import type { LiveStream } from './live-stream.ts';
import { findStream, type Service } from './service.ts';
import { listed, merged, TAGS_MAX, type Tags, without } from './tags.ts';

type Input<O extends keyof Operations> = Operations[O]['input'];

export async function addTagsToStream(service: Service, input: Input<'AddTagsToStream'>): Promise<undefined> {
  await tagStream(service, findStream(service, input), (tags) => merged(tags, input.Tags));
}

export async function removeTagsFromStream(
  service: Service,
  input: Input<'RemoveTagsFromStream'>,
): Promise<undefined> {
  await tagStream(service, findStream(service, input), (tags) => without(tags, input.TagKeys));
}

export function listTagsForStream(
  service: Service,
  input: Input<'ListTagsForStream'>,
): Operations['ListTagsForStream']['output'] {
  const all = listed(findStream(service, input).entry.tags);
  const rest = all.filter(({ Key }) => Key > (input.ExclusiveStartTagKey ?? ''));
  const Tags = rest.slice(0, input.Limit ?? TAGS_MAX);
  return { Tags, HasMoreTags: rest.length > Tags.length };
}

export async function tagResource(service: Service, input: Input<'TagResource'>): Promise<undefined> {
  await tagAny(service, input.ResourceARN, (tags) => merged(tags, input.Tags));
}

export async function untagResource(service: Service, input: Input<'UntagResource'>): Promise<undefined> {
  await tagAny(service, input.ResourceARN, (tags) => without(tags, input.TagKeys));
}

export function listTagsForResource(
  service: Service,
  { ResourceARN }: Input<'ListTagsForResource'>,
): Operations['ListTagsForResource']['output'] {
  const { tags } = isConsumer(ResourceARN)
    ? findConsumer(service, { ConsumerARN: ResourceARN }).consumer
    : findStream(service, { StreamARN: ResourceARN }).entry;
  return { Tags: listed(tags) };
}

type Change = (tags: Tags | undefined) => Record<string, string>;

async function tagAny(service: Service, arn: string, change: Change): Promise<void> {
  if (!isConsumer(arn)) return tagStream(service, findStream(service, { StreamARN: arn }), change);
  const { stream, consumer } = findConsumer(service, { ConsumerARN: arn });
  await service.store.update(stream, (entry) => taggedConsumer(entry, consumer.createdAt_s, change));
}

async function tagStream({ store }: Service, stream: LiveStream, change: Change): Promise<void> {
  await store.update(stream, (entry) => ({ ...entry, tags: change(entry.tags) }));
}

/** No two consumers of a stream were created in the same second. */
function taggedConsumer(entry: StreamEntry, createdAt_s: number, change: Change): StreamEntry {
  if (!entry.consumers) return entry;
  const registered = entry.consumers.registered.map((one) =>
    one.createdAt_s === createdAt_s ? { ...one, tags: change(one.tags) } : one,
  );
  return { ...entry, consumers: { ...entry.consumers, registered } };
}

function isConsumer(arn: string): boolean {
  return arn.includes('/consumer/');
}
