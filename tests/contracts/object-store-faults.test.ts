import { afterAll, beforeAll } from 'vitest';
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts';
import { describeFaults } from './object-store-faults.ts';

let s3: FakeS3;
beforeAll(async () => {
  s3 = await startFakeS3();
});
afterAll(() => s3.close());

describeFaults({ name: 'behind a faulty network', upstream: () => s3.endpoint, runs: 60 });
