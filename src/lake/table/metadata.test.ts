import { describe, expect, test } from 'vitest';
import { SMALL } from '../../../tests/support/small-lake.ts';
import { Failure } from '../../base/base.ts';
import {
  ancestors,
  currentSnapshot,
  parseMetadata,
  type Snapshot,
  stringifyMetadata,
  type TableMetadata,
} from './metadata.ts';
import { logPrevious, newTable, nextTime_ms } from './next-metadata.ts';
import { applyUpdates } from './table-update.ts';

const FRESH = newTable(SMALL, { location: 'memory://lake/raw/events', uuid: 'u', now_ms: 1_000 });

const snapshot = (id: bigint, parent?: bigint): Snapshot => ({
  'snapshot-id': id,
  ...(parent === undefined ? {} : { 'parent-snapshot-id': parent }),
  'sequence-number': Number(id % 1_000n),
  'timestamp-ms': 1_000 + Number(id % 1_000n),
  'manifest-list': `list ${id}`,
  summary: { operation: 'append' },
});

const versionOn = (
  base: TableMetadata,
  id: bigint,
  { set = {}, remove = [] }: { set?: Record<string, string>; remove?: string[] } = {},
) => {
  const parent = base['current-snapshot-id'] ?? undefined;
  const metadata = applyUpdates(
    base,
    [
      { action: 'add-snapshot', snapshot: snapshot(id, parent) },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
      { action: 'set-properties', updates: set },
      { action: 'remove-properties', removals: remove },
    ],
    { now_ms: 0 },
  );
  return parent === undefined
    ? { metadata, forgotten: [] }
    : logPrevious(metadata, { previous: base, location: `metadata ${parent}` });
};

describe('metadata', () => {
  test('keeps ids of 63 bits exactly, small ones too, and what it does not know', () => {
    const large = 9_109_999_991_276_526_987n;
    const { metadata } = versionOn(versionOn(FRESH, 7n).metadata, large);
    const foreign = stringifyMetadata(metadata).replace(
      '{',
      '{ "statistics": [{"snapshot-id": 3051729675574597004}],',
    );
    const back = parseMetadata(foreign, 'there');
    expect(currentSnapshot(back)?.['snapshot-id']).toBe(large);
    expect(back.snapshots.map((s) => s['snapshot-id'])).toEqual([7n, large]);
    expect(back.snapshots[1]?.['parent-snapshot-id']).toBe(7n);
    expect(back.refs['main']?.['snapshot-id']).toBe(large);
    expect(stringifyMetadata(back)).toContain('3051729675574597004');
  });

  test('of a table without snapshots may say -1, as older Java does', () => {
    const text = stringifyMetadata(FRESH).replace('"current-snapshot-id": null', '"current-snapshot-id": -1');
    expect(currentSnapshot(parseMetadata(text, 'there'))).toBeUndefined();
  });

  test('of a format that we do not write is refused, not damaged', () => {
    const text = stringifyMetadata(FRESH).replace('"format-version": 2', '"format-version": 4');
    expect(() => parseMetadata(text, 'there')).toThrow(
      expect.objectContaining({ code: 'lake.format_unsupported' }),
    );
    expect(() => parseMetadata('{', 'there')).toThrow(Failure);
  });
});

describe('the next version', () => {
  test('moves main and both logs, and leaves other branches alone', () => {
    const first = versionOn(FRESH, 1n).metadata;
    const branched = { ...first, refs: { ...first.refs, audit: { 'snapshot-id': 1n, type: 'branch' } } };
    const { metadata } = versionOn(branched, 2n);
    expect(metadata.refs).toEqual({
      main: { 'snapshot-id': 2n, type: 'branch' },
      audit: { 'snapshot-id': 1n, type: 'branch' },
    });
    expect(metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([1n, 2n]);
    expect(metadata['metadata-log']).toEqual([{ 'timestamp-ms': 1_001, 'metadata-file': 'metadata 1' }]);
  });

  test('remembers only so many metadata files, and names those to delete', () => {
    let base = versionOn(FRESH, 1n, { set: { 'write.metadata.previous-versions-max': '2' } }).metadata;
    const forgotten: string[] = [];
    for (let id = 2n; id <= 6n; id++) {
      const next = versionOn(base, id);
      base = next.metadata;
      forgotten.push(...next.forgotten);
    }
    expect(base['metadata-log'].map((entry) => entry['metadata-file'])).toEqual(['metadata 4', 'metadata 5']);
    expect(forgotten).toEqual(['metadata 1', 'metadata 2', 'metadata 3']);
  });

  test('deletes no metadata file of a table that does not want it', () => {
    const keep = {
      set: { 'write.metadata.previous-versions-max': '1' },
      remove: ['write.metadata.delete-after-commit.enabled'],
    };
    const base = versionOn(versionOn(FRESH, 1n, keep).metadata, 2n).metadata;
    expect(versionOn(base, 3n).forgotten).toEqual([]);
  });

  test('sets and removes properties', () => {
    const set = versionOn(FRESH, 1n, { set: { a: '1', b: '2' } }).metadata;
    expect(versionOn(set, 2n, { set: { b: '3' }, remove: ['a'] }).metadata.properties).toMatchObject({
      b: '3',
    });
    expect(versionOn(set, 2n, { remove: ['a'] }).metadata.properties).not.toHaveProperty('a');
  });

  test('without removed snapshots tells no history that has a gap', () => {
    const three = [2n, 3n].reduce((base, id) => versionOn(base, id).metadata, versionOn(FRESH, 1n).metadata);
    const less = applyUpdates(three, [{ action: 'remove-snapshots', 'snapshot-ids': [2n] }], { now_ms: 0 });
    expect(less.snapshots.map((s) => s['snapshot-id'])).toEqual([1n, 3n]);
    expect(less['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([3n]);
  });

  test('is never older than the one before, whatever the clock says', () => {
    expect(nextTime_ms(FRESH, 10)).toBe(1_000);
    expect(nextTime_ms(FRESH, 2_000)).toBe(2_000);
  });
});

describe('the line of a snapshot', () => {
  const line = (...snapshots: Snapshot[]): TableMetadata => ({ ...FRESH, snapshots });

  test('is given newest first, without other branches', () => {
    const metadata = line(snapshot(1n), snapshot(2n, 1n), snapshot(5n, 1n), snapshot(3n, 2n));
    expect(ancestors(metadata, 3n)).toMatchObject({ broken: false });
    expect(ancestors(metadata, 3n).snapshots.map((s) => s['snapshot-id'])).toEqual([3n, 2n, 1n]);
  });

  test('says where it breaks when snapshots were expired', () => {
    const metadata = line(snapshot(2n, 1n), snapshot(3n, 2n));
    expect(ancestors(metadata, 3n)).toMatchObject({ broken: true, missingParent: 1n });
    expect(ancestors(metadata, 9n)).toEqual({ snapshots: [], broken: true, missingParent: 9n });
  });

  test('breaks where a program expired a snapshot and took its id out of the child: the totals tell', () => {
    const child = (summary: Record<string, string>) => ({
      ...snapshot(2n),
      summary: { operation: 'append', ...summary },
    });
    const broken = (summary: Record<string, string>) => ancestors(line(child(summary)), 2n).broken;
    expect(broken({ 'total-records': '5', 'added-records': '2' })).toBe(true);
    expect(broken({ 'total-records': '5', 'added-records': '5', 'deleted-records': '5' })).toBe(true);
    expect(broken({ 'total-records': '0', 'deleted-records': '5' })).toBe(true);
    expect(broken({ 'total-records': '5', 'added-records': '5' })).toBe(false);
    expect(broken({ 'total-records': '0' })).toBe(false);
  });

  test('ends even when damage made it a circle', () => {
    expect(ancestors(line(snapshot(1n, 2n), snapshot(2n, 1n)), 2n).snapshots).toHaveLength(2);
  });
});
