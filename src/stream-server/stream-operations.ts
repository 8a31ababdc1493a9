import { evenHashKeyRanges, type Operations, RECORD_BYTES_DEFAULT } from '../kinesis/kinesis.ts';
import { consumersOf } from './consumer-operations.ts';
import { checkShardLimit, findStream, type Service } from './service.ts';
import { ServiceError } from './service-error.ts';
import { checkedTags } from './tags.ts';

export const ON_DEMAND_SHARDS = 4;

type Input<O extends keyof Operations> = Operations[O]['input'];

export async function createStream(service: Service, input: Input<'CreateStream'>): Promise<undefined> {
  const mode = input.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
  const count = shardCount(mode, input.ShardCount);
  checkShardLimit(service, count);
  const created = await service.store.create({
    name: input.StreamName,
    mode,
    ...checkedTags(input.Tags),
    recordBytes_max: input.MaxRecordSizeInKiB ? input.MaxRecordSizeInKiB * 1024 : RECORD_BYTES_DEFAULT,
    shards: evenHashKeyRanges(count).map(({ start, end }) => ({
      startingHashKey: String(start),
      endingHashKey: String(end),
    })),
  });
  if (!created)
    throw new ServiceError(
      'ResourceInUseException',
      `Stream ${input.StreamName} under account ${service.accountId} already exists.`,
    );
}

export async function deleteStream(service: Service, input: Input<'DeleteStream'>): Promise<undefined> {
  const stream = findStream(service, input);
  const consumers = consumersOf(stream);
  if (consumers.length > 0 && !input.EnforceConsumerDeletion)
    throw new ServiceError(
      'ResourceInUseException',
      `Stream ${stream.entry.name} under account ${service.accountId} has registered consumers; EnforceConsumerDeletion deletes them too.`,
    );
  await service.store.delete(stream);
}

function shardCount(mode: 'PROVISIONED' | 'ON_DEMAND', asked: number | undefined): number {
  if (mode === 'PROVISIONED' && asked === undefined)
    throw new ServiceError(
      'ValidationException',
      "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: Member must not be null",
    );
  if (mode === 'ON_DEMAND' && asked !== undefined)
    throw new ServiceError(
      'ValidationException',
      'ShardCount must not be given for a stream with StreamMode ON_DEMAND.',
    );
  return asked ?? ON_DEMAND_SHARDS;
}
