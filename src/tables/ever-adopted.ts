import { parseJson, stringifyJson } from '../base/base.ts';
import type { Table } from '../lake/lake.ts';
import { type Consumed, stateKeys } from './state.ts';

/** What was adopted of a table, by its uuid, up to this sequence number. */
type Adopted = Pick<Consumed, 'uuid' | 'sequenceNumber'>;

/**
 * Up to which sequence number of raw a commit of this table ever adopted, whatever was rolled back since; −1 when none
 * of this raw. No state, for a rollback takes it not back: whoever expires the snapshot that was rolled back, another
 * program perhaps, may be about to delete its files.
 */
export function everAdopted({ metadata }: Table, uuid: string): number {
  const text = metadata.properties[stateKeys.adopted];
  const adopted = text === undefined ? undefined : (parseJson(text) as unknown as Adopted);
  return adopted?.uuid === uuid ? Number(adopted.sequenceNumber) : -1;
}

export function everAdoptedWith(base: Table, { uuid, sequenceNumber }: Adopted): Record<string, string> {
  const furthest = Math.max(sequenceNumber, everAdopted(base, uuid));
  return { [stateKeys.adopted]: stringifyJson({ uuid, sequenceNumber: furthest }) };
}
