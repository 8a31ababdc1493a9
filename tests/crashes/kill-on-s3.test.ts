import { afterAll, beforeAll, it } from 'vitest';
import { type Moto, startMoto } from '../support/moto.ts';
import { describeWith, pythonWith } from '../support/python.ts';
import { killAndCompare } from './kill-and-compare.ts';

const ROUNDS = 10;
const python = await pythonWith('moto');

describeWith(python, 'with the lake on S3 (moto) and the catalog in the bucket', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto(python);
    await moto.makeBucket('lake');
  });
  afterAll(() => moto?.close());

  it(`after ${ROUNDS} times kill -9 in the middle of puts and commits, staging holds exactly what was acknowledged`, async () => {
    await killAndCompare({ rounds: ROUNDS, most_ms: 2_500, env: moto.lakeAt('s3://lake/killed') });
  });
});
