import type { OperationName } from '../kinesis/kinesis.ts';
import { PARTITION_KEY_CHARS_MAX, PUT_RECORDS_COUNT_MAX, RECORD_BYTES_MAX } from '../kinesis/kinesis.ts';
import { decodedLength } from './base64.ts';
import { checkConstraints } from './check-constraints.ts';
import { checkTypes } from './check-types.ts';
import { INPUT_SHAPES, type Shape } from './input-shapes.ts';
import type { PutEntry } from './put-operations.ts';

const { Records: recordsMember, ...putRecordsRest } = INPUT_SHAPES.PutRecords;

/** What is left after both layers is of the operation's input type. Throws the service's own error otherwise. */
export function checkInput(operation: OperationName, input: object): Record<string, unknown> {
  if (operation === 'PutRecords' && recordsMember) {
    const { Records } = input as { Records?: unknown };
    // Walking the model for 500 records costs 0.52 ms, this 0.04 ms; only a request with something wrong pays for both.
    if (areSound(Records)) return { ...checkAgainst(input, putRecordsRest), Records };
  }
  return checkAgainst(input, INPUT_SHAPES[operation]);
}

function checkAgainst(input: object, shape: Shape): Record<string, unknown> {
  const checked = checkTypes(input, shape);
  checkConstraints(checked, shape);
  return checked;
}

/** True only when both layers would have nothing to say of these records. */
export function areSound(records: unknown): records is PutEntry[] {
  if (!Array.isArray(records) || records.length < 1 || records.length > PUT_RECORDS_COUNT_MAX) return false;
  return records.every(isSound);
}

function isSound(record: unknown): boolean {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return false;
  const { Data, PartitionKey, ExplicitHashKey } = record as Partial<Record<string, unknown>>;
  if (typeof PartitionKey !== 'string' || ExplicitHashKey !== undefined) return false;
  if (typeof Data !== 'string' && !(Data instanceof Uint8Array)) return false;
  if (PartitionKey.length < 1 || PartitionKey.length > PARTITION_KEY_CHARS_MAX) return false;
  const length = typeof Data === 'string' ? decodedLength(Data) : Data.length;
  return length !== undefined && length <= RECORD_BYTES_MAX;
}
