import { expect, test } from 'vitest';
import { createSmall, smallLake } from '../../../tests/support/small-lake.ts';
import { withinStore } from './within-store.ts';

test('a table is within its store in any spelling of its location; elsewhere it says what to set', async () => {
  const table = await createSmall(smallLake().lake);
  const at = (location: string) => ({ ...table, metadata: { ...table.metadata, location } });
  expect(withinStore('memory://lake', table)).toBe(table);
  for (const spelling of ['file:/lake/raw/events', 'file:///lake/raw/events']) {
    expect(withinStore('file:///lake', at(spelling)).metadata.location).toBe(spelling);
  }
  expect(withinStore('s3://lake', at('s3a://lake/raw/events')).name).toBe(table.name);
  for (const elsewhere of ['s3://lakes/raw/events', 'file:///lake2/raw', 's3://lake']) {
    expect(() => withinStore('s3://lake', at(elsewhere))).toThrow(
      expect.objectContaining({ code: 'lake.elsewhere', hint: expect.stringContaining('store.url') }),
    );
  }
});
