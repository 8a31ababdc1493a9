/** Our tables as icebird reads them. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { ASKED } from './questions.ts';
import { expectReadByIcebird } from './read-with-icebird.ts';
import { type WrittenLake, writeLake } from './written-lake.ts';

describe('icebird', () => {
  let written: WrittenLake;
  beforeAll(async () => {
    written = await writeLake({ count: 900, seed: 4, commits: [400, 1, 200] });
  });
  afterAll(() => written?.close());

  test.each(Object.keys(ASKED))('reads %s', async (name) => {
    await expectReadByIcebird(written, name);
  });
});
