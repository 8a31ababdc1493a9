/**
 * Writes its example, and the tables of inputs, outputs, resources and modules, into the README of every Terraform
 * module: the tables between the markers that terraform-docs uses and in its shape. `tests/infra` holds that they agree.
 * Usage: node infra/deploy/readme.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from './cache.ts';
import { moduleExample, modulePaths, moduleTables, withExample, withTables } from './module-tables.ts';

for (const path of await modulePaths()) {
  const file = join(PROJECT, path, 'README.md');
  const readme = withExample(await readFile(file, 'utf8'), await moduleExample(path));
  await writeFile(file, withTables(readme, await moduleTables(path)));
}
