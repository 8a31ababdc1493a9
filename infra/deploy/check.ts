/**
 * Terraform's part of `make check`: formatting, and whether the composition with all its modules and every module's
 * example are valid. Validating loads a provider of 700 MB, so it is remembered for exactly this content.
 */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from './cache.ts';
import { run, runWell } from './programs.ts';
import { findProviders, terraformMissing } from './providers.ts';
import { EXAMPLES, workingCopy } from './working-copy.ts';

const missing = await terraformMissing();
if (missing !== undefined) console.log(`terraform: not checked, ${missing}`);
else {
  await checkFormat();
  for (const path of ['lakeward', EXAMPLES]) await checkValidity(path);
}

async function checkFormat(): Promise<void> {
  const env = { TF_CLI_CONFIG_FILE: '' };
  const { code, stdout } = await run(
    'terraform',
    ['fmt', '-check', '-recursive', join(PROJECT, 'infra/terraform')],
    { env },
  );
  if (code === 0) return;
  console.error(`terraform: not formatted (terraform fmt -recursive infra/terraform):\n${stdout}`);
  process.exit(1);
}

async function checkValidity(path: string): Promise<void> {
  let copy: Awaited<ReturnType<typeof workingCopy>>;
  try {
    copy = await workingCopy(path, await findProviders());
  } catch (error) {
    const why = (error as Error).message;
    if (!/provider packages|provider registry|no available releases/i.test(why)) throw error;
    console.log('terraform: formatted; not validated, no provider hashicorp/aws can be had here');
    return;
  }
  const mark = join(copy.env['TF_DATA_DIR']!, '.valid');
  if (await stat(mark).catch(() => undefined)) return;
  await runWell('terraform', [`-chdir=${join(copy.folder, path)}`, 'validate', '-no-color'], {
    env: copy.env,
  });
  await writeFile(mark, '');
}
