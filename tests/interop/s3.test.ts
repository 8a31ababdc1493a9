/** The object store on S3 as moto has it, which we did not write; the fake of the unit tests must not be kinder. */
import { afterAll, beforeAll } from 'vitest';
import { openS3Store } from '../../src/object-store/object-store.ts';
import { describeObjectStore } from '../contracts/object-store-contract.ts';
import { describeFaults } from '../contracts/object-store-faults.ts';
import { type Moto, startMoto } from '../support/moto.ts';
import { describeWith, pythonWith } from '../support/python.ts';

const python = await pythonWith('moto');

describeWith(python, 'S3 by moto', () => {
  let moto: Moto;
  let opened = 0;
  beforeAll(async () => {
    moto = await startMoto(python);
    await moto.makeBucket('lake');
  });
  afterAll(() => moto?.close());

  describeObjectStore({
    name: 'on S3',
    etags: 'of bytes',
    open: () =>
      openS3Store({
        root: `s3://lake/store ${++opened}/lake ü`,
        endpoint: moto.endpoint,
        credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      }),
  });

  describeFaults({ name: 'behind a faulty network', upstream: () => moto.endpoint, runs: 5 });
});
