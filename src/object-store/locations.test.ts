import { expect, test } from 'vitest';
import { keyOf, keyPrefixOf } from './locations.ts';

test('a location names the same file in every spelling that Hadoop and Spark write', () => {
  for (const [root, spellings] of [
    ['file:///lakes/of Zoë', ['file:///lakes/of Zoë', 'file:/lakes/of Zoë']],
    ['s3://bucket/lake', ['s3://bucket/lake', 's3a://bucket/lake', 's3n://bucket/lake']],
  ] as const) {
    for (const spelled of spellings) {
      expect(keyOf(root, `${spelled}/a/b=%20`)).toBe('a/b=%20');
      expect(keyPrefixOf(root, `${spelled}/a/`)).toBe('a/');
      expect(keyPrefixOf(root, spelled)).toBe('');
    }
  }
});

test('a location of another root is none', () => {
  for (const location of [
    'file:/lakes/other/x',
    'file:/lakes',
    'file:/lakes/mine/../x',
    'file://lakes/mine/x',
    's3:/lakes/mine/x',
  ])
    expect(() => keyOf('file:///lakes/mine', location)).toThrow(
      expect.objectContaining({ code: 'object_store.bad_location' }),
    );
});
