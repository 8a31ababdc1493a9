/** Aggregated records as the Kinesis Producer Library and other aggregators make them. */
import { createHash } from 'node:crypto';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export interface UserRecord {
  data: string | Uint8Array;
  key?: string;
  /** Decimal. */
  explicitHashKey?: string;
}

export const MAGIC = Buffer.from('f3899ac2', 'hex');

/** The record with magic and checksum. */
export function aggregate(...records: readonly UserRecord[]): Buffer {
  return sealed(aggregatedMessage(...records));
}

export function sealed(message: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, message, createHash('md5').update(message).digest()]);
}

export function aggregatedMessage(...records: readonly UserRecord[]): Uint8Array {
  const keys = [...new Set(records.map(({ key = 'k' }) => key))];
  const hashKeys = [
    ...new Set(records.flatMap(({ explicitHashKey: key }) => (key === undefined ? [] : [key]))),
  ];
  const out = new BinaryWriter();
  for (const key of keys) out.tag(1, WireType.LengthDelimited).string(key);
  for (const key of hashKeys) out.tag(2, WireType.LengthDelimited).string(key);
  for (const { data, key = 'k', explicitHashKey } of records) {
    out.tag(3, WireType.LengthDelimited).fork();
    out.tag(1, WireType.Varint).uint32(keys.indexOf(key));
    if (explicitHashKey !== undefined) out.tag(2, WireType.Varint).uint32(hashKeys.indexOf(explicitHashKey));
    out.tag(3, WireType.LengthDelimited).bytes(Buffer.from(data as Uint8Array));
    out.join();
  }
  return out.finish();
}
