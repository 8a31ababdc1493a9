import { join } from 'node:path';
import { type MaintenanceRules, maintain } from '../../src/maintenance/maintenance.ts';
import { RAW_NAME, STAGING_NAME } from '../../src/tables/tables.ts';
import { maintenanceOf } from '../support/maintainer.ts';
import type { WrittenLake } from './written-lake.ts';

/** Compaction of raw and staging, an hour after the last commit. */
export async function compact(written: WrittenLake, rules: Partial<MaintenanceRules> = {}): Promise<void> {
  const clock = { now: () => Date.now() + 7_200_000, sleep: async () => {} };
  const { lake, catalogPath } = written;
  const options = maintenanceOf({ lake, clock: clock as never }, { folder: join(catalogPath, '..'), rules });
  await maintain(options, { tables: [RAW_NAME, STAGING_NAME], dryRun: false });
}
