/** A deployment to LocalStack by the commands that a user says: nothing of it is there before, and nothing after. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheFolder } from '../../infra/deploy/cache.ts';
import { localStackMissing } from '../../infra/deploy/localstack.ts';
import { describeWithTerraform, findTerraform } from '../infra/provider.ts';
import { describeWith } from '../support/python.ts';
import { type Commands, commands, lastLine } from './commands.ts';

const missing = await localStackMissing();
if (missing !== undefined && process.env['CI']) throw new Error(missing);

const terraform = await findTerraform();

describeWith({ missing }, 'LocalStack', () => {
  describeWithTerraform(terraform, 'make deploy ENV=local && make destroy ENV=local', () => {
    let local: string;
    let make: Commands;
    beforeAll(async () => {
      local = join(await mkdtemp(join(tmpdir(), 'lakeward-deployment-')), '.local');
      make = commands({ local });
    });
    // Also when a test failed halfway, LocalStack must not stay behind.
    afterAll(async () => {
      if (existsSync(local)) await make.destroy();
      await rm(join(local, '..'), { recursive: true, force: true });
    });

    test('applies, plans nothing anew, passes the smoke test as the deployed roles, and destroys all of it', async () => {
      // The last line stands there when all else went well; whether its bar of time was held is no matter of a test.
      const deployed = await make.deploy();
      const said = deployed.stdout + deployed.stderr;
      expect(said).toContain('Plan: 47 to add, 0 to change, 0 to destroy.');
      expect(said).toMatch(/^planned again: (nothing|0 changes) to (change|explain)/m);
      expect(said).toContain(
        `1000 events and 100 repeats sent; 1000 in the bucket, and verify found nothing; run from ${cacheFolder('image')}`,
      );
      expect(lastLine(deployed), said).toMatch(/^deployed local: [\d.]+ s, at most 420 s wanted$/);
      const { endpoint } = JSON.parse(await readFile(join(local, 'localstack/running.json'), 'utf8')) as {
        endpoint: string;
      };

      const destroyed = await make.destroy();
      expect(destroyed.stdout, destroyed.stderr).toContain('LocalStack stopped');
      expect(lastLine(destroyed)).toMatch(/^destroyed local, nothing left: [\d.]+ s, at most 180 s wanted$/);
      expect(existsSync(local)).toBe(false);
      await expect(fetch(endpoint)).rejects.toThrow();
    });
  });
});
